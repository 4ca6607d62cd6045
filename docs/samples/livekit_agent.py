"""A voice engine on LiveKit Agents 1.x: calls by SIP, and the transcript when they end.

  AFTERCALL_SECRET=whsec_… SIP_TRUNK_ID=ST_… LIVEKIT_URL=… python livekit_agent.py start
"""
import asyncio, json, os, threading
from datetime import datetime, timezone

from livekit import api
from livekit.agents import Agent, AgentSession, JobContext, WorkerOptions, cli, inference

import aftercall

REASONS = {486: "busy", 600: "busy", 408: "no_answer", 480: "no_answer", 487: "no_answer", 603: "rejected", 404: "invalid_number", 484: "invalid_number"}

async def entrypoint(ctx: JobContext):
    call = json.loads(ctx.job.metadata)  # what Aftercall posted
    await ctx.connect()
    session = AgentSession(stt=inference.STT("deepgram/nova-3"), llm=inference.LLM("openai/gpt-4.1-mini"), tts=inference.TTS("cartesia/sonic-3"))
    if datetime.now(timezone.utc) > datetime.fromisoformat(call["not_after"]):
        await asyncio.to_thread(aftercall.report, call, "ended", reason="canceled", final=True)
        return ctx.shutdown()
    try:
        await ctx.api.sip.create_sip_participant(api.CreateSIPParticipantRequest(
            room_name=ctx.room.name, sip_trunk_id=os.environ["SIP_TRUNK_ID"], sip_number=call.get("from", ""), sip_call_to=call["to"],
            participant_identity="contact", wait_until_answered=True))
    except api.TwirpError as e:
        code = int(e.metadata.get("sip_status_code", 0))
        await asyncio.to_thread(aftercall.report, call, "ended", reason=REASONS.get(code, "trunk"), sip_code=code, final=True)
        return ctx.shutdown()
    answered_at = datetime.now(timezone.utc).isoformat()
    telling = asyncio.create_task(asyncio.to_thread(aftercall.report, call, "answered", answered_by="unknown"))

    async def ended():
        await telling  # so that its file is not the newest
        turns = [{"role": "agent" if m.role == "assistant" else "contact", "text": m.text_content}
                 for m in session.history.items if m.type == "message" and m.role in ("user", "assistant") and m.text_content]
        await asyncio.to_thread(aftercall.report, call, "ended", reason="contact_hangup", answered_at=answered_at, turns=turns, final=True)

    ctx.add_shutdown_callback(ended)
    session.on("close", lambda _: ctx.shutdown())  # the contact has left
    await session.start(agent=Agent(instructions=f"You speak {call['language']} with {call['variables'].get('first_name', 'somebody')}."), room=ctx.room)
    await session.generate_reply(instructions="Greet the contact and say whom you call for.")

def place(call):
    async def dispatch():
        async with api.LiveKitAPI() as lk:
            await lk.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(agent_name="aftercall", room=call["call_id"], metadata=json.dumps(call)))
    asyncio.run(dispatch())

def hang_up(call_id):
    async def delete():
        async with api.LiveKitAPI() as lk:
            await lk.room.delete_room(api.DeleteRoomRequest(room=call_id))
    asyncio.run(delete())

if __name__ == "__main__":
    threading.Thread(target=aftercall.serve, args=(place, hang_up), daemon=True).start()
    cli.run_app(WorkerOptions(entrypoint_fnc=entrypoint, agent_name="aftercall"))
