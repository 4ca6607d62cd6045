package simulator

func scriptsDE(o Outcome) []script {
	switch o {
	case Booked:
		return bookedDE()
	case Interested:
		return interestedDE()
	case NotInterested:
		return notInterestedDE()
	case Callback:
		return callbackDE()
	case DoNotCall:
		return doNotCallDE()
	case WrongPerson:
		return wrongPersonDE()
	case ShortPickup:
		return shortPickupDE()
	case Voicemail, IVR:
		return machineDE(o)
	}
	return nil
}

func bookedDE() []script {
	return []script{{
		summary:   "{contact} hat einen Beratungstermin für {date} vereinbart; ein anderer Vorschlag passte nicht.",
		sentiment: positive,
		lines: []line{
			contact("Hallo?", "Ja, hallo?", "{last}."),
			agent("Guten Tag{ name}, hier ist {caller}. Sie hatten bei uns Informationen angefragt, und ich möchte gern einen Termin für ein Gespräch finden. Haben Sie kurz Zeit?",
				"Guten Tag{ name}, hier ist {caller}. In meinen Notizen steht „{notes}“, und dabei möchte ich Ihnen gern weiterhelfen. Haben Sie kurz Zeit?",
				"Hallo{ name}, hier ist {caller}. Ich melde mich wegen Ihrer Anfrage. Haben Sie kurz Zeit?"),
			contact("Ja, kurz geht. Worum geht es denn genau?", "Ach ja, stimmt, ich erinnere mich. Ja, bitte.", "Wenn es schnell geht, ja."),
			agent("Es geht um ein Gespräch mit einem unserer Berater, etwa dreißig Minuten und kostenlos. Würde es Ihnen {other} passen?",
				"Vielen Dank. Am besten sprechen Sie einmal in Ruhe mit unserem Berater, das kostet Sie nichts. Hätten Sie {other} Zeit?"),
			contact("Nein, da kann ich leider nicht. Ginge es auch {when}?", "Da habe ich schon etwas vor. Wie wäre es {when}?",
				"Das ist schlecht bei mir. Ich könnte aber {when}."),
			agent("Ja, da ist noch etwas frei. Dann trage ich Sie für {date} ein. Ist das richtig so?",
				"Das passt auch bei uns. Ich wiederhole zur Sicherheit: {date}. Stimmt das so?"),
			contact("Ja, genau. Vielen Dank.", "Ja, das passt mir gut.", "Stimmt so, danke."),
			agent("Wunderbar. Sie bekommen gleich eine Bestätigung per E-Mail. Vielen Dank{, name}, und auf Wiederhören.",
				"Sehr schön, der Termin steht. Ich wünsche Ihnen noch einen schönen Tag. Auf Wiederhören."),
			contact("Danke, tschüss.", "Super, bis dann. Tschüss.", "Vielen Dank, auf Wiederhören."),
		},
	}, {
		summary:   "{contact} hat nach den Kosten des ersten Besuchs gefragt und ihn für {date} vereinbart.",
		sentiment: positive,
		lines: []line{
			contact("Ja bitte?", "Hallo, wer ist da?", "{full}, hallo."),
			agent("Guten Tag{ name}, mein Name ist {caller}. Es geht um das Angebot, das Sie über unsere Internetseite angefragt haben. Passt es gerade?",
				"Guten Tag{ name}, hier ist {caller}. Es geht um Ihre Anfrage, ich habe mir „{notes}“ notiert. Passt es gerade?"),
			contact("Moment mal, spreche ich mit einer Maschine?", "Eine KI? Sie sind also ein Roboter?", "Ach, Sie sind gar kein Mensch?"),
			agent("Ja, ich bin eine KI. Ich vereinbare nur den ersten Besuch, alles Weitere übernehmen Menschen. Darf ich fortfahren?",
				"Das stimmt, ich bin eine KI. Den Besuch selbst macht aber ein Kollege aus Fleisch und Blut. Wollen wir weitermachen?"),
			contact("Na, Sie klingen aber echt. Gut, machen Sie weiter. Kostet der Besuch etwas?", "Meinetwegen. Was kostet mich das denn?",
				"Na gut. Aber für einen Besuch zahle ich nichts."),
			agent("Der Besuch ist kostenlos und verpflichtet Sie zu nichts. Ich hätte {when} noch etwas frei. Würde Ihnen das passen?",
				"Nein, es kostet nichts, und Sie entscheiden danach in Ruhe. Könnten wir {when} vorbeikommen?"),
			contact("Ich schaue kurz nach. Ja, das geht.", "Ja, das müsste klappen.", "Moment, mein Kalender. Doch, ja, das passt."),
			agent("Dann habe ich Sie für {date} eingetragen. Der Kollege ruft kurz vorher durch. Haben Sie noch eine Frage?",
				"Gut, dann machen wir es fest: {date}. Möchten Sie sonst noch etwas wissen?"),
			contact("Nein, das war alles. Danke für die Hilfe.", "Nein, alles klar, danke.", "Im Moment nicht. Vielen Dank, tschüss."),
			agent("Ich danke Ihnen{, name}. Auf Wiederhören.", "Sehr gern. Einen schönen Tag noch, auf Wiederhören."),
		},
	}}
}

func interestedDE() []script {
	return []script{{
		summary:   "{contact} hat Interesse und möchte das Angebot vor einer Entscheidung per E-Mail bekommen. Ein Termin wurde nicht vereinbart.",
		sentiment: positive,
		lines: []line{
			contact("Hallo?", "{last}, guten Tag.", "Ja, hallo?"),
			agent("Guten Tag{ name}, hier ist {caller}. Sie wollten mehr über unser Angebot wissen. Ist das Thema für Sie noch aktuell?",
				"Guten Tag{ name}, hier ist {caller}. Bei uns ist „{notes}“ vermerkt. Ist das Thema für Sie noch aktuell?",
				"Guten Tag{ name}, hier ist {caller}. Sie hatten für {company} bei uns angefragt. Ist das Thema für Sie noch aktuell?"),
			contact("Ja, durchaus. Das klingt interessant, aber ich möchte es erst einmal schriftlich sehen.",
				"Ja, auf jeden Fall, ich habe immer noch Interesse. Ich weiß nur zu wenig darüber.",
				"Doch, ja. Wir haben zu Hause darüber gesprochen, mich interessiert das wirklich."),
			agent("Das freut mich. Was ist Ihnen am wichtigsten: der Preis, die Dauer oder die Betreuung danach?",
				"Das höre ich gern. Worauf kommt es Ihnen vor allem an, damit Sie die richtigen Unterlagen bekommen?"),
			contact("Ehrlich gesagt der Preis. Und wie schnell Sie anfangen könnten.",
				"Vor allem der Service. Die letzte Firma war nach der Rechnung verschwunden.",
				"Was es im Monat kostet, und ob es eine Garantie gibt."),
			agent("Das verstehe ich. Ich lasse Ihnen eine Übersicht schicken, in der genau das steht. Wollen wir auch gleich einen Termin ausmachen?",
				"Gut zu wissen. Sie bekommen alles per E-Mail. Möchten Sie schon jetzt einen Termin vereinbaren?"),
			contact("Nein, schicken Sie mir erst die Übersicht. Es gefällt mir, ich will es nur in Ruhe lesen.",
				"Noch nicht. Schreiben Sie mir, ich melde mich dann, ich bin wirklich interessiert.",
				"Erst lesen. Wenn die Zahlen stimmen, bin ich dabei."),
			agent("Das mache ich sofort. Vielen Dank für das nette Gespräch{, name}. Auf Wiederhören.",
				"Sehr gern, es ist gleich in Ihrem Postfach. Danke und auf Wiederhören."),
			contact("Danke, tschüss.", "Prima, danke. Tschüss.", "Vielen Dank, auf Wiederhören."),
		},
	}, {
		summary:   "{contact} findet das Angebot gut und will es noch mit jemandem besprechen.",
		sentiment: positive,
		lines: []line{
			contact("Ja, hallo?", "Hallo, wer spricht?", "{full}, ja bitte?"),
			agent("Guten Tag{ name}, hier ist {caller}. Wir haben Ihnen neulich ein Angebot geschickt. Darf ich fragen, wie es Ihnen gefällt?",
				"Hallo{ name}, hier ist {caller}. Sie haben sich vor Kurzem mit unserem Angebot beschäftigt. Wie gefällt es Ihnen?",
				"Guten Tag{ name}, hier ist {caller}. Sie hatten uns „{notes}“ geschrieben und ein Angebot bekommen. Wie gefällt es Ihnen?"),
			contact("Ja, das habe ich mir angesehen. Es ist bisher das beste, muss ich sagen.",
				"Gelesen habe ich es. Sieht gut aus, besser als gedacht.",
				"Ich habe es nur überflogen, aber das gefällt mir."),
			agent("Das freut mich zu hören. Gibt es etwas, das Sie noch zögern lässt?", "Vielen Dank. Ist für Sie noch etwas offen?"),
			contact("Ich kann das nicht allein entscheiden, meine Frau muss auch einverstanden sein.",
				"Das muss ich noch mit meinem Geschäftspartner besprechen.",
				"Mein Mann will da auch mitreden, wir müssen uns erst zusammensetzen."),
			agent("Natürlich, lassen Sie sich Zeit. Darf ich notieren, dass Sie Interesse haben und sich mit Fragen bei uns melden?",
				"Das ist verständlich. Soll ich vermerken, dass Sie interessiert sind und auf uns zukommen?"),
			contact("Ja, gern. Wir denken ernsthaft darüber nach.", "Ja, genau so ist es. Ich würde es gern machen.",
				"Machen Sie das. Ich will es ja, es fehlt nur das eine Gespräch."),
			agent("Dann wünsche ich ein gutes Gespräch. Vielen Dank{, name}, auf Wiederhören.",
				"Gut, das ist notiert. Einen schönen Tag noch, auf Wiederhören."),
			contact("Ihnen auch, tschüss.", "Danke, auf Wiederhören."),
		},
	}}
}

func notInterestedDE() []script {
	return []script{{
		summary:   "{contact} findet das Angebot zu teuer und lehnt es ab.",
		lost:      lostExpensive,
		sentiment: neutral,
		lines: []line{
			contact("Hallo?", "{last}, ja?", "Ja, hallo?"),
			agent("Guten Tag{ name}, hier ist {caller}. Ich rufe wegen des Angebots an, das wir Ihnen geschickt haben. Konnten Sie schon hineinschauen?",
				"Guten Tag{ name}, hier ist {caller}. Wir haben Ihnen zu „{notes}“ ein Angebot geschickt. Konnten Sie schon hineinschauen?"),
			contact("Ja, habe ich. Ehrlich gesagt ist mir das viel zu teuer.", "Habe ich, und es ist zu teuer. Ich hatte mit der Hälfte gerechnet.",
				"Ja. Schön ist es, aber der Preis sprengt mein Budget."),
			agent("Verstehe. Es gibt auch ein kleineres Paket, und Sie können in Raten zahlen. Wäre das etwas für Sie?",
				"Danke für die offenen Worte. Wir könnten es auf drei Jahre verteilen, würde das etwas ändern?"),
			contact("Nein, auch dann ist es zu teuer. Wir haben uns dagegen entschieden.",
				"Ich habe gerechnet, das ist immer noch zu viel Geld. Also nein, danke.",
				"Nein. Die Konkurrenz ist ein Drittel billiger, die habe ich genommen."),
			agent("Das verstehe ich und notiere, dass es am Preis lag. Kann ich sonst noch etwas für Sie tun{, name}?",
				"Das ist eine klare Antwort, vielen Dank. Ich vermerke den Preis als Grund. Gibt es sonst noch etwas?"),
			contact("Nein, das war es. Tschüss.", "Gut. Schönen Tag noch.", "Nein. Danke der Nachfrage, auf Wiederhören."),
			agent("Vielen Dank für Ihre Zeit und alles Gute. Auf Wiederhören.", "Auf Wiederhören und einen schönen Tag."),
		},
	}, {
		summary:   "{contact} hat keinen Bedarf und kein Interesse.",
		lost:      lostNotInterested,
		sentiment: neutral,
		lines: []line{
			contact("Hallo?", "Ja, wer ist da?", "{last}."),
			agent("Guten Tag{ name}, hier ist {caller}. Sie haben an unserer Umfrage teilgenommen, und ich würde Ihnen gern kurz sagen, was wir für Sie tun können. Darf ich?",
				"Guten Tag{ name}, hier ist {caller}. Ich möchte Ihnen unser neues Angebot vorstellen, es dauert nur eine Minute. Darf ich?",
				"Guten Tag{ name}, hier ist {caller}. Wir arbeiten mit vielen Firmen wie {company}, und ich würde Ihnen gern sagen, wie. Darf ich?"),
			contact("Eine Minute, bitte.", "Wenn es schnell geht.", "Na gut, worum geht es?"),
			agent("Danke. Wir schauen uns an, was Sie heute zahlen, und sagen Ihnen in wenigen Tagen, wie viel Sie davon sparen könnten. Viele sind überrascht.",
				"Ganz einfach: Unsere Berater prüfen Ihren Vertrag und zeigen Ihnen, wo er mehr kostet als nötig, und zwar umsonst."),
			contact("Aha. Nein, ich habe kein Interesse, wir sind zufrieden mit dem, was wir haben.",
				"Tut mir leid, das ist nichts für mich. Kein Interesse.",
				"Nein, danke. Das brauche ich nicht, ich habe wirklich kein Interesse."),
			agent("Darf ich fragen, ob sich das später im Jahr ändern könnte?", "Verstehe. Gibt es dafür einen bestimmten Grund?"),
			contact("Nein. Wir haben dafür einfach keine Verwendung.", "Es gibt hier einfach keinen Bedarf.",
				"Es ist eben nichts für mich. Viel Glück bei den anderen."),
			agent("Dann halte ich Sie nicht länger auf. Danke{, name}, auf Wiederhören.",
				"In Ordnung, danke für die ehrliche Antwort. Auf Wiederhören."),
			contact("Tschüss.", "Auf Wiederhören.", "Gut, tschüss."),
		},
	}, {
		summary:   "{contact} wurde schon einmal angesprochen, hat damals abgelehnt und bleibt dabei.",
		lost:      lostContacted,
		sentiment: negative,
		lines: []line{
			contact("Ja?", "Hallo?", "{last}, hallo?"),
			agent("Guten Tag{ name}, hier ist {caller}. Ich würde gern mit Ihnen über das Angebot auf unserer Internetseite sprechen. Haben Sie einen Moment?",
				"Guten Tag{ name}, hier ist {caller}. Ich rufe an wegen „{notes}“. Haben Sie einen Moment?"),
			contact("Schon wieder? Vorige Woche hat doch schon jemand von Ihnen mit mir gesprochen.",
				"Aber das hat mich eine Kollegin von Ihnen schon gefragt. Ich habe abgelehnt.",
				"Das habe ich mit einem Ihrer Leute alles schon besprochen."),
			agent("Das tut mir leid, das habe ich nicht gesehen. Was haben Sie denn mit den Kollegen vereinbart?",
				"Oh, bitte entschuldigen Sie. Was haben Sie den Kollegen gesagt?"),
			contact("Dass ich das nicht will. Daran hat sich nichts geändert.",
				"Ich habe nein gesagt, und es bleibt beim Nein. Schreiben Sie das doch bitte auf.",
				"Dass wir woanders unterschrieben haben. Das sage ich Ihnen jetzt zum zweiten Mal."),
			agent("Danke, diesmal wird es ganz sicher vermerkt. Entschuldigen Sie die Umstände{, name}.",
				"Das war unser Fehler, es tut mir leid. Ich habe es aufgeschrieben, damit niemand noch einmal fragt."),
			contact("Tun Sie das. Auf Wiederhören.", "Gut. Tschüss.", "In Ordnung. Trotzdem einen schönen Tag."),
			agent("Vielen Dank für Ihre Geduld. Auf Wiederhören.", "Danke und auf Wiederhören."),
		},
	}}
}

func callbackDE() []script {
	return []script{{
		summary:   "{contact} hatte keine Zeit und möchte am {date} noch einmal angerufen werden.",
		sentiment: neutral,
		lines: []line{
			contact("Hallo?", "Ja, hallo?", "{last}, hallo."),
			agent("Guten Tag{ name}, hier ist {caller}. Es geht um das Angebot, um das Sie uns gebeten haben. Haben Sie zwei Minuten?",
				"Guten Tag{ name}, hier ist {caller}. Ich rufe wegen Ihrer Anfrage an, „{notes}“. Haben Sie zwei Minuten?"),
			contact("Gerade nicht, ich sitze im Auto. Können Sie später noch einmal anrufen?",
				"Tut mir leid, ich bin mitten in einer Besprechung. Rufen Sie mich doch ein andermal an.",
				"Das ist gerade ungünstig, die Kinder kommen gleich nach Hause. Können Sie mich zurückrufen?"),
			agent("Natürlich, ich will Sie nicht aufhalten. Wann passt es Ihnen denn besser? Vielleicht {other}?",
				"Selbstverständlich. Sagen Sie mir, wann es besser ist, dann rufe ich wieder an. Wie wäre es {other}?"),
			contact("Nein, da nicht. Versuchen Sie es {when}, bitte.", "Da bin ich wieder unterwegs. Besser {when}.", "Hm, nein. Ginge es {when}?"),
			agent("Sehr gern. Ich notiere den Rückruf für {date}. Erreiche ich Sie dann unter dieser Nummer?",
				"Das lässt sich machen. Dann sprechen wir uns wieder: {date}. Soll ich wieder diese Nummer nehmen?"),
			contact("Ja, genau. Danke, tschüss.", "Ja, die ist richtig. Bis dann.", "Ja. Ich muss jetzt los, tschüss."),
			agent("Vielen Dank{, name}, bis dahin. Auf Wiederhören.", "Sehr gut. Kommen Sie gut durch den Tag, auf Wiederhören."),
		},
	}, {
		summary:   "{contact} möchte die Unterlagen vor sich haben und bittet um einen Anruf am {date}.",
		sentiment: positive,
		lines: []line{
			contact("{full}, guten Tag.", "Ja bitte?", "Hallo, wer ist da, bitte?"),
			agent("Guten Tag{ name}, hier ist {caller}. Ich rufe wegen des Angebots an, das wir für Sie vorbereitet haben. Passt es Ihnen gerade?",
				"Guten Tag{ name}, hier ist {caller}. Ich möchte gern unser Angebot für {company} mit Ihnen durchgehen. Passt es Ihnen gerade?"),
			contact("Im Prinzip ja, aber ich habe die Unterlagen nicht hier. Die liegen im Büro.",
				"Eigentlich gern, aber ich habe es noch gar nicht gelesen.",
				"Besser wäre es, wenn ich es vor mir hätte, ich sitze im Zug."),
			agent("Dann sprechen wir am besten, wenn Sie es zur Hand haben. Wann darf ich Sie wieder anrufen?",
				"Gar kein Problem. Wann wäre ein Rückruf für Sie günstig?"),
			contact("Mal überlegen. Sie könnten mich {when} anrufen, da bin ich am Schreibtisch.",
				"Rufen Sie {when} noch einmal an, bis dahin habe ich es gelesen.",
				"Ich würde sagen, {when}. Wäre das möglich?"),
			agent("Das ist möglich. Ich habe mir {date} notiert. Soll ein Kollege dazukommen, ein Mensch?",
				"Gern. Dann halte ich fest: {date}. Möchten Sie, dass auch ein Kollege am Telefon ist?"),
			contact("Nein, das muss nicht sein. Bis dann.", "Ja, warum nicht. Danke schön.", "Mal sehen. Danke, auf Wiederhören."),
			agent("In Ordnung, es steht im Kalender. Vielen Dank{, name}, auf Wiederhören.", "Gut. Bis dahin alles Gute, auf Wiederhören."),
		},
	}}
}

func doNotCallDE() []script {
	return []script{{
		summary:   "{contact} hat kein Interesse und möchte nicht mehr angerufen werden.",
		lost:      lostNotInterested,
		sentiment: negative,
		lines: []line{
			contact("Hallo?", "Ja?", "Wer ist da?"),
			agent("Guten Tag{ name}, hier ist {caller}. Ich möchte Ihnen ein Angebot vorstellen, mit dem Sie Geld sparen können. Passt es gerade?",
				"Guten Tag{ name}, hier ist {caller}. Wir haben uns „{notes}“ zu Ihnen notiert. Passt es gerade?"),
			contact("Nein. Ich habe kein Interesse, und darum gebeten habe ich auch nie.", "Schon wieder so ein Anruf? Ich habe kein Interesse.",
				"Ich habe überhaupt kein Interesse. Woher haben Sie meine Nummer?"),
			agent("Entschuldigen Sie bitte die Störung. Soweit ich sehe, stand Ihre Nummer in einem Formular auf unserer Seite. Soll ich sie löschen?",
				"Das tut mir leid. Ihre Nummer kam über ein Formular zu uns. Was soll ich für Sie tun?"),
			contact("Ja. Rufen Sie mich nicht mehr an.", "Streichen Sie mich von der Liste, und rufen Sie mich nicht mehr an.",
				"Bitte rufen Sie mich nicht mehr an. Nie mehr."),
			agent("Das habe ich vermerkt, Sie werden nicht mehr angerufen. Entschuldigung und auf Wiederhören.",
				"Verstanden. Ihre Nummer ist bei uns ab sofort gesperrt. Auf Wiederhören."),
		},
	}, {
		summary:   "{contact} wurde schon mehrmals angerufen und möchte das nicht mehr.",
		lost:      lostContacted,
		sentiment: negative,
		lines: []line{
			contact("Ja, hallo?", "{last}, hallo?", "Hallo?"),
			agent("Guten Tag{ name}, hier ist {caller}. Es geht um Ihre Anfrage. Störe ich gerade?",
				"Guten Tag{ name}, hier ist {caller}. Haben Sie einen Moment für unser Angebot?"),
			contact("Allerdings stört das. Sie klingeln jetzt zum dritten Mal in diesem Monat.",
				"Sie haben schon so oft angerufen. Ich habe Ihrer Kollegin gesagt, nein.",
				"Ich habe schon zweimal mit Ihnen gesprochen, und beide Male habe ich abgelehnt."),
			agent("Das tut mir sehr leid. Von diesen Anrufen wusste ich nichts. Wie kann ich das wiedergutmachen?",
				"Das hätte nicht passieren dürfen, entschuldigen Sie. Wie sollen wir verfahren?"),
			contact("Ganz einfach: Rufen Sie mich nicht mehr an. Sonst beschwere ich mich.",
				"Rufen Sie mich nicht mehr an, und löschen Sie, was Sie über mich haben.",
				"Ich will, dass das aufhört. Rufen Sie mich nicht mehr an, verstanden?"),
			agent("Verstanden. Ihre Nummer steht jetzt auf unserer Sperrliste. Auf Wiederhören.",
				"Selbstverständlich. Ab sofort wird Sie niemand mehr von uns anrufen. Entschuldigen Sie, auf Wiederhören."),
			contact("Das hoffe ich. Tschüss.", "Danke. Auf Wiederhören.", "Gut."),
		},
	}}
}

func wrongPersonDE() []script {
	return []script{{
		summary:   "Jemand anderes war am Apparat: Die Nummer gehört nicht dem Kontakt.",
		sentiment: neutral,
		lines: []line{
			contact("Hallo?", "Ja bitte?", "Hallo, wer ist da?"),
			agent("Guten Tag, hier ist {caller}. Spreche ich mit {full}?", "Guten Tag, hier ist {caller}. Bin ich richtig bei {name}?",
				"Guten Tag, hier ist {caller}. Es geht um die Anfrage, die Sie uns geschickt haben. Waren Sie das?"),
			contact("Nein, tut mir leid, da sind Sie falsch verbunden.", "Nein, das bin ich nicht. Sie sind falsch verbunden.",
				"Nein, so jemanden gibt es hier nicht. Falsch verbunden, würde ich sagen."),
			agent("Oh, das tut mir leid. Kann es sein, dass jemand anderes bei Ihnen unser Formular ausgefüllt hat?",
				"Entschuldigen Sie bitte. Kennen Sie die Person vielleicht und wissen, wie ich sie erreiche?"),
			contact("Nein, ich habe diese Nummer seit zwei Jahren und wohne allein.", "Keine Ahnung, tut mir leid. Solche Anrufe bekomme ich öfter.",
				"Nein, so jemanden kenne ich nicht."),
			agent("Danke für die Auskunft. Ich lasse die Nummer bei uns austragen. Entschuldigen Sie die Störung, auf Wiederhören.",
				"Dann berichtige ich das bei uns. Entschuldigen Sie die Störung und einen schönen Tag noch."),
			contact("Kein Problem. Tschüss.", "Macht nichts. Tschüss.", "In Ordnung, auf Wiederhören."),
		},
	}}
}

func shortPickupDE() []script {
	return []script{{
		summary:   "Jemand hat abgenommen und während der Begrüßung aufgelegt.",
		sentiment: neutral,
		lines: []line{
			contact("Hallo?", "Ja?", "Ja, hallo?"),
			agent("Guten Tag{ name}, hier ist {caller}.", "Hallo{ name}, hier ist {caller}, und ich", "Guten Tag, hier spricht {caller}."),
		},
	}}
}

func machineDE(o Outcome) []script {
	if o == IVR {
		return []script{{
			summary: "Ein Telefonmenü hat sich gemeldet.",
			lines: []line{
				contact("Willkommen bei {company}. Für den Verkauf drücken Sie die Eins. Für den Kundendienst drücken Sie die Zwei. Sonst bleiben Sie bitte in der Leitung.",
					"Herzlich willkommen. Für unsere Öffnungszeiten drücken Sie bitte die Eins. Für alle anderen Fragen drücken Sie die Zwei."),
			},
		}}
	}
	message := agent("Guten Tag{ name}, hier ist {caller}. Es geht um Ihre Anfrage. Ich versuche es ein andermal wieder. Auf Wiederhören.",
		"Hallo{ name}, hier ist {caller}, wegen des Angebots, um das Sie gebeten haben. Ich melde mich wieder. Einen schönen Tag noch.")
	return []script{{
		summary: "Die Mailbox hat sich gemeldet, und eine Nachricht wurde hinterlassen.",
		lines: []line{
			contact("Hallo, hier ist die Mailbox von {full}. Ich kann gerade nicht ans Telefon gehen. Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
				"Der gewünschte Gesprächspartner ist zurzeit nicht erreichbar. Bitte sprechen Sie nach dem Signalton, oder legen Sie jetzt auf.",
				"Guten Tag, im Moment ist niemand da. Sprechen Sie uns bitte nach dem Ton auf den Anrufbeantworter, wir melden uns."),
			message,
		},
	}, {
		summary: "Die Mailbox war voll.",
		lines: []line{
			contact("Die Mailbox der gewählten Rufnummer ist voll und kann keine Nachrichten mehr aufnehmen. Auf Wiederhören.",
				"Sie sind mit einer Mailbox verbunden. Der Speicher ist voll. Bitte versuchen Sie es später noch einmal."),
		},
	}}
}
