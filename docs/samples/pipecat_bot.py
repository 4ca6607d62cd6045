"""A voice engine on Pipecat 0.0.90 and later: calls by Daily's dial-out, and the transcript when they end.
  AFTERCALL_SECRET=whsec_… DAILY_API_KEY=… DAILY_SAMPLE_ROOM_URL=… OPENAI_API_KEY=… DEEPGRAM_API_KEY=… python pipecat_bot.py
"""
import asyncio, os
from datetime import datetime, timezone
import aiohttp
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.runner.daily import configure
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.deepgram.tts import DeepgramTTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.daily.transport import DailyParams, DailyTransport
import aftercall

tasks = {}  # that are in a call, by its id, with their loops
async def talk(call):
    async with aiohttp.ClientSession() as http:
        room, token = await configure(http)  # dial-out must be enabled there
    transport = DailyTransport(room, token, "bot", DailyParams(audio_in_enabled=True, audio_out_enabled=True, vad_analyzer=SileroVADAnalyzer()))
    context = LLMContext([{"role": "system", "content": f"You speak {call['language']} with {call['variables'].get('first_name', 'somebody')}. Greet first."}])
    hears = LLMContextAggregatorPair(context)
    task = PipelineTask(Pipeline([transport.input(), DeepgramSTTService(api_key=os.environ["DEEPGRAM_API_KEY"]), hears.user(),
        OpenAILLMService(api_key=os.environ["OPENAI_API_KEY"]), DeepgramTTSService(api_key=os.environ["DEEPGRAM_API_KEY"]),
        transport.output(), hears.assistant()]))
    tasks[call["call_id"]] = task, asyncio.get_running_loop()
    end = {"reason": "no_answer"}

    @transport.event_handler("on_joined")
    async def on_joined(*_):
        if datetime.now(timezone.utc) > datetime.fromisoformat(call["not_after"]):
            end["reason"] = "canceled"
            return await task.cancel()
        await transport.start_dialout({"phoneNumber": call["to"]})

    @transport.event_handler("on_dialout_answered")
    async def on_answered(*_):
        end.update(reason="contact_hangup", answered_at=datetime.now(timezone.utc).isoformat())
        await task.queue_frames([LLMRunFrame()])

    async def over(*_):
        await task.cancel()
    for event in ("on_dialout_error", "on_dialout_stopped", "on_participant_left"):
        transport.add_event_handler(event, over)
    await PipelineRunner(handle_sigint=False).run(task)
    end["turns"] = [{"role": "agent" if m["role"] == "assistant" else "contact", "text": m["content"]}
                    for m in context.get_messages() if m["role"] in ("user", "assistant") and isinstance(m.get("content"), str)]
    await asyncio.to_thread(aftercall.report, call, "ended", final=True, **end)

def hang_up(call_id):
    task, loop = tasks[call_id]
    asyncio.run_coroutine_threadsafe(task.cancel(), loop)

if __name__ == "__main__":
    aftercall.serve(lambda call: asyncio.run(talk(call)), hang_up)
