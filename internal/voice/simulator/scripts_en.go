package simulator

func scriptsEN(o Outcome) []script {
	switch o {
	case Booked:
		return bookedEN()
	case Interested:
		return interestedEN()
	case NotInterested:
		return notInterestedEN()
	case Callback:
		return callbackEN()
	case DoNotCall:
		return doNotCallEN()
	case WrongPerson:
		return wrongPersonEN()
	case ShortPickup:
		return shortPickupEN()
	case Voicemail, IVR:
		return machineEN(o)
	}
	return nil
}

func bookedEN() []script {
	return []script{{
		summary:   "{contact} agreed to an appointment with an advisor on {date}, after another time did not suit.",
		sentiment: positive,
		lines: []line{
			contact("Hello?", "Yes, hello?", "{full} speaking."),
			agent("Hi{ name}, this is {caller}. You asked us for some information, and I would like to find a time for you to talk it over. Do you have a minute?",
				`Hello{ name}, this is {caller}. I have a note that says "{notes}", and I would like to help you with that. Do you have a minute?`,
				"Good day{, name}, this is {caller}. I am getting back to you about your request. Do you have a minute?"),
			contact("Yes, a minute is fine. Go ahead.", "Oh, right, I remember. Sure, go ahead.", "Okay, but please keep it short."),
			agent("Of course. The best next step is a talk with one of our advisors, about thirty minutes and free of charge. Would {other} suit you?",
				"Thank you. I would set up a short talk with one of our advisors, it costs you nothing. Are you free {other}?"),
			contact("No, that is bad for me, I have something else then. What about {when}?", "Hmm, that does not work for me. Could we do {when}?",
				"I can't then, sorry. I could do {when}, though."),
			agent("Yes, that is free. So I will put you down for {date}. Is that right?",
				"That works on our side. Let me repeat it to be sure: {date}. Is that correct?"),
			contact("Yes, that's right. Thank you.", "Perfect, that's fine.", "Yes, that works for me."),
			agent("Wonderful. You will get a confirmation by e-mail. Thank you for your time{, name}, and goodbye.",
				"Very good, it is in the calendar. Have a nice day{, name}, goodbye."),
			contact("Thanks, bye.", "Great, talk to you then. Bye.", "Thank you, goodbye."),
		},
	}, {
		summary:   "{contact} asked about the cost of the first visit and booked one for {date}.",
		sentiment: positive,
		lines: []line{
			contact("Yes, hello?", "Hello, who is this?", "Hello, {full} here."),
			agent("Hello{ name}, my name is {caller}. It is about the offer you asked for on our website. Is this a good moment?",
				`Hi{ name}, this is {caller}. It is about your request, I have "{notes}" written down here. Is this a good moment?`),
			contact("Wait, am I talking to a machine?", "An AI? Are you a robot?", "Oh. So you are not a real person?"),
			agent("I am an AI, yes. I only arrange the first visit, everything after that is done by people. May I go on?",
				"That's right, I am an AI. I set up the visit, and a colleague of flesh and blood will come. Shall we go on?"),
			contact("Ha, you sound quite real. Fine, go on. Does the visit cost anything?", "Okay, why not. What does it cost me?",
				"Alright then. But I won't pay for a visit."),
			agent("The visit is free and you are not bound to anything. I could offer you {when}. Would that suit you?",
				"No, it is free, and you decide everything afterwards. There is an opening {when}. Could you be there?"),
			contact("Let me check. Yes, that's good.", "Yes, that should work.", "One second, my calendar. Okay, yes, that is fine."),
			agent("Then I have you down for {date}. Our colleague will ring you shortly before. Do you have any other question?",
				"Good, I have booked {date} for you. Is there anything else you would like to know?"),
			contact("No, that's all. Thanks for your help.", "No thanks, everything is clear.", "Not for now. Thank you, bye."),
			agent("Thank you{, name}. Goodbye.", "My pleasure. Have a good day, goodbye."),
		},
	}}
}

func interestedEN() []script {
	return []script{{
		summary:   "{contact} is interested and wants the offer by e-mail before a decision. No appointment was made.",
		sentiment: positive,
		lines: []line{
			contact("Hello?", "Hello, {full} speaking.", "Yes?"),
			agent("Hi{ name}, this is {caller}. You left your details with us because you wanted to know more about our offer. Are you still looking into that?",
				`Hello{ name}, this is {caller}. In our records it says "{notes}". Are you still looking into that?`,
				"Hello{ name}, this is {caller}. I saw that you are with {company}, and that you asked for our offer. Are you still looking into that?"),
			contact("Yes, we are. It does sound interesting, but I would like to see it in writing first.",
				"Yes, definitely, I am still interested. I just don't know enough about it yet.",
				"Oh yes. We have been talking about it at home, I am quite interested, actually."),
			agent("I am glad to hear that. What matters most to you: the price, how long it takes, or the service afterwards?",
				"Good to know. May I ask what is most important to you, so that you get the right papers?"),
			contact("The price, to be honest. And how soon you could start.",
				"Mostly the service. The last company just disappeared once they were paid.",
				"What it costs per month, and whether there is a guarantee."),
			agent("I understand. I will send you an overview by e-mail that answers exactly that. Would you like to make an appointment already?",
				"That is good to know. I will have everything sent to you by e-mail. Shall we set up an appointment as well?"),
			contact("No, send me the overview first. I like it, I just want to read it in peace.",
				"Not yet. E-mail me and I will get back to you, I really am interested.",
				"Let me read it first. If the numbers are right, I am in."),
			agent("I will do that right away. Thank you for the nice talk{, name}. Goodbye.",
				"Gladly, it will be in your inbox soon. Thank you, and goodbye."),
			contact("Thank you, bye.", "Great, thanks. Bye bye.", "Thanks a lot, goodbye."),
		},
	}, {
		summary:   "{contact} finds the offer interesting, and will talk it over with a partner before going on.",
		sentiment: positive,
		lines: []line{
			contact("Hello, yes?", "Hi, who's calling?", "{last}, hello?"),
			agent("Good day{, name}. This is {caller}. You compared some offers with us not long ago. May I ask how you liked ours?",
				"Hello{ name}, this is {caller}. We sent you an offer the other day, and I wanted to ask how you like it.",
				`Hello{ name}, this is {caller}. You told us "{notes}", so we sent you an offer. How do you like it?`),
			contact("Yes, I had a look at it. It is the best one so far, I must say.", "I read it, yes. Looks good, better than I thought.",
				"I only skimmed it, but I like what I saw."),
			agent("Thank you, that is nice to hear. Is there anything that keeps you from going ahead?",
				"I am happy to hear that. Is something still open for you?"),
			contact("I can't decide it alone, my wife has to be on board too.",
				"I have to talk it over with my business partner, we decide that together.",
				"My husband wants to have a say as well, so we need to sit down first."),
			agent("Of course, take your time. Shall I note that you are interested, and one of us answers your questions whenever you have any?",
				"That makes sense. May I put down that you are interested, and you get in touch once you have talked?"),
			contact("Yes, please do. We are seriously thinking about it.", "Yes, that's exactly it. I would like to do it.",
				"Sure. I want it, I just need that one conversation."),
			agent("Then I wish you a good talk. Thank you{, name}, goodbye.", "Very well, it is noted. Have a lovely day, goodbye."),
			contact("You too, bye.", "Thanks, bye now."),
		},
	}}
}

func notInterestedEN() []script {
	return []script{{
		summary:   "{contact} finds the offer too expensive and does not want it.",
		lost:      lostExpensive,
		sentiment: neutral,
		lines: []line{
			contact("Hello?", "Yes, {full}?", "Hello, yes?"),
			agent("Hi{ name}, this is {caller}. I am calling about the offer that we sent you. Have you had time to look at it?",
				`Hello{ name}, this is {caller}. We noted "{notes}" and sent you an offer. Have you had time to look at it?`),
			contact("Yes, I did. Honestly, that is far too expensive for me.", "I have, and it is too expensive. I was expecting half of that.",
				"Yes. It's nice, but the price is way beyond my budget."),
			agent("I see. There is also a smaller package, and you can pay in monthly instalments. Would that be of interest?",
				"Thank you for being open. We could spread it over three years, would that make a difference?"),
			contact("No, even then it's too expensive. We have decided against it.", "I did the sums, and it is still too much money. So no, thanks.",
				"No. The competitor is a third cheaper, so I went with them."),
			agent("I understand, and I will note that the price was the reason. Thank you for telling me{, name}. Is there anything else?",
				"That is a clear answer, thank you. I will put down that it was the price. Can I do anything else for you?"),
			contact("No, that's it. Bye.", "Okay. Have a good day.", "No. Thanks for asking, goodbye."),
			agent("Thank you for your time, and all the best. Goodbye.", "Goodbye, and have a nice day."),
		},
	}, {
		summary:   "{contact} has no need of what is offered and is not interested.",
		lost:      lostNotInterested,
		sentiment: neutral,
		lines: []line{
			contact("Hello?", "Yes, who is it?", "{full}."),
			agent("Good day{, name}, this is {caller}. You took part in our survey, and I would like to tell you briefly what we can do for you. May I?",
				"Hello{ name}, this is {caller}. I would like to tell you about our new offer, it takes one minute. May I?",
				"Hello{ name}, this is {caller}. We work with many companies like {company}, and I would like to tell you how. May I?"),
			contact("One minute, then. Go ahead.", "If it's quick.", "Well, okay, what is it about?"),
			agent("Thank you. We look at what you pay today, and tell you within a few days how much of it you could save. Many people are surprised.",
				"It's simple: our advisors check your contract and show you where it costs more than it has to, for free."),
			contact("I see. No, I'm not interested, we are happy with what we have.", "Sorry, that's nothing for me. I am not interested.",
				"No, thank you. I don't need that, I'm really not interested."),
			agent("May I ask whether that could change later this year?", "I understand. Is there a particular reason for that?"),
			contact("No. We simply have no use for it.", "There's just no need for it here.",
				"It's not for me, that's all. I wish you luck with the others."),
			agent("Then I will not take more of your time. Thank you{, name}, goodbye.", "All right, thank you for your honest answer. Goodbye."),
			contact("Bye.", "Goodbye.", "Okay, bye bye."),
		},
	}, {
		summary:   "{contact} was contacted before, has said no already, and has not changed their mind.",
		lost:      lostContacted,
		sentiment: negative,
		lines: []line{
			contact("Yes?", "Hello?", "{full}, hello?"),
			agent("Hello{ name}, this is {caller}. I would like to talk to you about the offer on our website. Do you have a moment?",
				`Hi{ name}, this is {caller}. I am calling about "{notes}". Do you have a moment?`),
			contact("Again? Somebody from your side spoke to me last week already.", "But one of your people has talked to me before. I told her no.",
				"I have been through this with a colleague of yours already."),
			agent("I am sorry, I did not see that. May I ask what you agreed on with my colleague?",
				"Oh, please excuse that. What did you tell my colleague?"),
			contact("That I don't want it. Nothing has changed since then.", "I said no, and it's still no. You should really write that down.",
				"That we have signed with somebody else. It's the second time I tell you that."),
			agent("Thank you, I will make sure that it is noted this time. I apologize for the trouble{, name}.",
				"That was our mistake, I am sorry. I have written it down, so that nobody has to ask again."),
			contact("Please do. Goodbye.", "Fine. Bye.", "All right. Have a nice day anyway."),
			agent("Thank you for your patience. Goodbye.", "Thank you, and goodbye."),
		},
	}}
}

func callbackEN() []script {
	return []script{{
		summary:   "{contact} had no time and asked to be called again on {date}.",
		sentiment: neutral,
		lines: []line{
			contact("Hello?", "Yes, hello?", "{full}, hello."),
			agent("Hi{ name}, this is {caller}. It is about the offer you asked us for. Do you have two minutes?",
				`Hello{ name}, this is {caller}. I am calling because of your request, "{notes}". Do you have two minutes?`),
			contact("Not right now, I'm driving. Can you call me back later?",
				"Sorry, I am in the middle of a meeting. Could you call back another time?",
				"It's a bad moment, the kids are about to come home. Call me back some other time, please."),
			agent("Of course, I don't want to hold you up. When would be a better time for you? Perhaps {other}?",
				"Certainly. Tell me when it suits you better, and I will call again. How about {other}?"),
			contact("No, not then. Try me {when}, please.", "Then I'm busy again. Better {when}.", "Hmm, no. Could you make it {when}?"),
			agent("With pleasure. I will call you again on {date}. May I use this number again?",
				"I can do that. So we will speak on {date}. Shall I use this number again?"),
			contact("Yes, please do. Thanks, bye.", "Yes, this one is fine. Until then.", "Yes. I have to go now, bye."),
			agent("Thank you{, name}, until then. Goodbye.", "Very good. Take care until then, and goodbye."),
		},
	}, {
		summary:   "{contact} wants to have the papers at hand before talking, and asked for a call on {date}.",
		sentiment: positive,
		lines: []line{
			contact("Hello, {full} speaking.", "Yes?", "Hello, who is this, please?"),
			agent("Good day{, name}, this is {caller}. I am calling about the offer we prepared for you. Is it convenient to talk?",
				"Hello{ name}, this is {caller}. I would like to go through our offer for {company} with you. Is it convenient to talk?"),
			contact("In principle yes, but I don't have the papers here. They are at the office.", "I'd like to, but I have not read it yet.",
				"It would be better if I had it in front of me, and I'm on the train."),
			agent("Then it makes sense to talk when you have it at hand. When may I call you again?",
				"No problem at all. What would be a good time to call you back?"),
			contact("Let me think. You could call me {when}, I'll be at my desk.", "Call again {when}, I will have read it by then.",
				"I would say {when}. Would that be possible?"),
			agent("That is possible. I have noted {date} for our call. Should my human colleague join us?",
				"Gladly. Then I will call you on {date}. Would you like a colleague to be on the line as well?"),
			contact("No, that's not necessary. Talk to you then.", "Yes, why not. Thank you.", "We'll see. Thanks, goodbye."),
			agent("All right, it is in my calendar. Thank you{, name}, and goodbye.", "Good. Enjoy your day until then, goodbye."),
		},
	}}
}

func doNotCallEN() []script {
	return []script{{
		summary:   "{contact} is not interested, and asked not to be called any more.",
		lost:      lostNotInterested,
		sentiment: negative,
		lines: []line{
			contact("Hello?", "Yes?", "Who is this?"),
			agent("Hello{ name}, this is {caller}. I would like to tell you about an offer that may save you money. Is this a good time?",
				`Hi{ name}, this is {caller}. We have you down with "{notes}". Is this a good time?`),
			contact("No. I'm not interested, and I never asked for this.", "Another one of these calls? I am not interested.",
				"I'm not interested at all. Where did you get my number?"),
			agent("I am sorry for the disturbance. You had left your number on our website, as far as I can see. Should I delete it?",
				"Please excuse the call. Your number came in through a form on our site. May I ask what you would like me to do?"),
			contact("Yes. Don't call me again.", "Take me off your list and don't call me again.", "Just don't call me again, please. Never."),
			agent("I have noted that, you will not be called any more. I apologize, and goodbye.",
				"Understood. Your number will be blocked on our side as of now. Goodbye."),
		},
	}, {
		summary:   "{contact} has been called several times before, and asked not to be called any more.",
		lost:      lostContacted,
		sentiment: negative,
		lines: []line{
			contact("Yes, hello?", "Hello, {last}?", "Hello?"),
			agent("Good day{, name}, this is {caller}. It is about your request. Am I disturbing you?",
				"Hi{ name}, this is {caller}. Do you have a moment for our offer?"),
			contact("You certainly are. This is the third time this month that you people ring me.",
				"You have called me so often already. I told your colleague no.",
				"I have spoken to you twice already, and I said no both times."),
			agent("I am very sorry about that. I was not told of those calls. What can I do to put it right?",
				"That should not have happened, I apologize. How would you like us to go on?"),
			contact("It's easy: don't call me again. Otherwise I will complain.", "Please don't call me again, and delete what you have about me.",
				"I want it to stop. Don't call me again, understood?"),
			agent("Understood. I have put your number on our list of people who are not called. Goodbye.",
				"Of course. As of this moment nobody of us will call you. I am sorry for the trouble, goodbye."),
			contact("I hope so. Bye.", "Thank you. Goodbye.", "Good."),
		},
	}}
}

func wrongPersonEN() []script {
	return []script{{
		summary:   "Somebody else answered: the number is not that of the contact.",
		sentiment: neutral,
		lines: []line{
			contact("Hello?", "Yes, hello?", "Hello, who is this?"),
			agent("Hi, this is {caller}. Am I speaking with {full}?",
				"Hello, this is {caller}. I would like to speak to {name}, please. Is that you?",
				"Hello, this is {caller}. It is about the request you sent us. Was that you?"),
			contact("No, I'm sorry, you have the wrong number.", "No, that's not me. I think you dialled the wrong number.",
				"No, there is nobody like that here. Wrong number, I'm afraid."),
			agent("Oh, I am sorry. Is it possible that somebody else in your home or company filled in our form?",
				"Please excuse me. Do you perhaps know the person, or how I could reach them?"),
			contact("No, I have had this number for two years, and I live alone.", "No idea, sorry. I get such calls now and then.",
				"No, I don't know anybody like that."),
			agent("Thank you for telling me. I will have the number removed from our records. Sorry to have bothered you, goodbye.",
				"Then I will correct our records. Please excuse the disturbance, and have a nice day."),
			contact("No problem. Bye.", "That's all right. Bye bye.", "Okay, goodbye."),
		},
	}}
}

func shortPickupEN() []script {
	return []script{{
		summary:   "Somebody picked up and hung up during the greeting.",
		sentiment: neutral,
		lines: []line{
			contact("Hello?", "Yes?", "Hello, yes?"),
			agent("Hi{ name}, this is {caller}.", "Hello{ name}, this is {caller}, and I", "Good day, this is {caller}."),
		},
	}}
}

func machineEN(o Outcome) []script {
	if o == IVR {
		return []script{{
			summary: "A telephone menu answered.",
			lines: []line{
				contact("Thank you for calling {company}. For sales, press one. For service, press two. To speak to somebody, please stay on the line.",
					"Welcome. Your call may be recorded. For opening hours, press one. For all other questions, press two."),
			},
		}}
	}
	message := agent("Hello{ name}, this is {caller}. It is about your request. I will try again another time. Goodbye.",
		"Hi{ name}, this is {caller}, about the offer you asked for. I will try to reach you again. Have a nice day.")
	return []script{{
		summary: "A voicemail answered, and the agent left a message.",
		lines: []line{
			contact("Hi, you have reached the voicemail of {full}. I can't take your call right now. Please leave a message after the tone.",
				"The person you are trying to reach is not available. At the tone, please record your message. When you have finished, you may hang up.",
				"Hello, nobody is here at the moment. Leave a message after the beep and we will get back to you."),
			message,
		},
	}, {
		summary: "The mailbox that answered was full.",
		lines: []line{
			contact("The mailbox of the number you have dialled is full and cannot take any messages at this time. Goodbye.",
				"Your call has been forwarded to an automated voice messaging system. The mailbox is full. Goodbye."),
		},
	}}
}
