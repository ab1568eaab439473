/** Words of signing in and registering. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Sign in", register: "Register", email: "E-mail", password: "Password", name: "Name", born: "Date of birth", country: "Country", region: "State", regionNote: "Two letters, such as AL. You come of age at 18, 19 or 21, depending on the state; without one you count as grown up from 21.",
    bornNote: "We only keep the age group it stands for, never the date.", passwordNote: "At least eight characters.", minorNote: "You can watch, chat and ask for things. Your parents or guardians decide about every purchase and pay for it.", minorUnder7: "At this age watching is fine; buying is for your parents or guardians with an account of their own.",
    signIn: "Sign in", create: "Create account", busy: "One moment…", wrong: "E-mail and password do not match.", taken: "There is an account with this e-mail already. Sign in instead.",
    account: "Your account", signIns: "Where you are signed in", thisOne: "This browser", unknownDevice: "Unknown device", end: "End", everywhere: "Sign out everywhere",
    tokens: "Tokens for programs", tokensText: "A program with a token of yours may read what you can read. The API makes tokens that may do more.", byOperator: "Made by the operator", everything: "everything you may do", until: "until {time}",
    tokenName: "What is it for?", makeToken: "Make token", tokenMade: "Token for “{name}”", tokenOnce: "Copy it now: it is not shown again.",
    mailLink: "Mail me a link instead", linkSent: "If {email} has an account, a link to sign in is on its way. It is good for 15 minutes.", linkText: "One press and you are signed in. The link works once.", otherWay: "Sign in another way", noMails: "No mails are sent from here. Sign in with your password or a passkey.",
    passkeys: "Passkeys", passkeysText: "Sign in with your finger, face or device code instead of a password. Nobody can trick you out of one.", passkeysNot: "Passkeys belong to a name: open this page under its name, or as localhost, in a recent browser.",
    usedAt: "used {time}", neverUsed: "not used yet", remove: "Remove", passkeyName: "Which device is it?", addPasskey: "Add passkey", withPasskey: "Use a passkey", noPasskey: "This passkey does not open an account here.",
    consents: "What your data may be used for", consentsOf: "What the data of {name} may be used for", consentsText: "Nothing of this is needed to watch or to buy. Without a yes it is a no.", consentYes: "Yes", consentNo: "No", consentNever: "You have not been asked yet: no.", consentSince: "Since {time}", consentGuardian: "Where you live your guardian has to answer this.", consentNobody: "Under age there is no personal advertising, whoever agrees.",
    myData: "Your data", export: "Download everything", erase: "Erase my account", eraseTitle: "Erase this account for good?", eraseText: "Open reservations and requests are taken back, and you are signed out everywhere. Orders and payments stay for as long as the law demands, without your name and address. You cannot withdraw on this page from what has been sent to you any more: write to the shop instead. This cannot be undone.", eraseSure: "Erase for good", keepAccount: "Keep it",
    prove: "Please show that it is you", confirm: "Confirm", wrongCode: "That is not the code, or it is too old.", wrongPassword: "That is not your password.",
    switchToRegister: "No account yet?", switchToSignIn: "Already have an account?", hello: "You are signed in as {name}.", goOn: "Continue", guestNote: "You can watch every show without an account.",
  },
  de: {
    title: "Anmelden", register: "Registrieren", email: "E-Mail", password: "Passwort", name: "Name", born: "Geburtsdatum", country: "Land", region: "Bundesstaat", regionNote: "Zwei Buchstaben, etwa AL. Volljährig wirst du je nach Staat mit 18, 19 oder 21; ohne Angabe zählt 21.",
    bornNote: "Wir behalten nur die Altersgruppe, nie das Datum.", passwordNote: "Mindestens acht Zeichen.", minorNote: "Du kannst zuschauen, mitreden und nach etwas fragen. Über jeden Kauf entscheiden deine Eltern, und sie bezahlen ihn.", minorUnder7: "In diesem Alter ist Zuschauen in Ordnung; kaufen können deine Eltern mit ihrem eigenen Konto.",
    signIn: "Anmelden", create: "Konto anlegen", busy: "Einen Moment …", wrong: "E-Mail und Passwort passen nicht zusammen.", taken: "Mit dieser E-Mail gibt es schon ein Konto. Melde dich stattdessen an.",
    account: "Dein Konto", signIns: "Wo du angemeldet bist", thisOne: "Dieser Browser", unknownDevice: "Unbekanntes Gerät", end: "Beenden", everywhere: "Überall abmelden",
    tokens: "Tokens für Programme", tokensText: "Ein Programm mit einem Token von dir darf lesen, was du lesen kannst. Über die API entstehen Tokens, die mehr dürfen.", byOperator: "Vom Betreiber angelegt", everything: "alles, was du darfst", until: "bis {time}",
    tokenName: "Wofür ist es?", makeToken: "Token anlegen", tokenMade: "Token für „{name}“", tokenOnce: "Kopiere es jetzt: Es wird nicht noch einmal gezeigt.",
    mailLink: "Stattdessen einen Link mailen", linkSent: "Wenn {email} ein Konto hat, ist ein Link zum Anmelden unterwegs. Er gilt 15 Minuten.", linkText: "Ein Druck, und du bist angemeldet. Der Link gilt einmal.", otherWay: "Anders anmelden", noMails: "Von hier werden keine Mails verschickt. Melde dich mit Passwort oder Passkey an.",
    passkeys: "Passkeys", passkeysText: "Mit Finger, Gesicht oder Gerätecode anmelden statt mit Passwort. Niemand kann ihn dir ablisten.", passkeysNot: "Passkeys gehören zu einem Namen: Öffne diese Seite unter ihrem Namen oder als localhost, in einem neueren Browser.",
    usedAt: "benutzt {time}", neverUsed: "noch nicht benutzt", remove: "Entfernen", passkeyName: "Welches Gerät ist es?", addPasskey: "Passkey anlegen", withPasskey: "Passkey benutzen", noPasskey: "Dieser Passkey öffnet hier kein Konto.",
    consents: "Wofür deine Daten benutzt werden dürfen", consentsOf: "Wofür die Daten von {name} benutzt werden dürfen", consentsText: "Nichts davon brauchst du zum Zuschauen oder Kaufen. Ohne Ja heißt es Nein.", consentYes: "Ja", consentNo: "Nein", consentNever: "Noch nicht gefragt: nein.", consentSince: "Seit {time}", consentGuardian: "Diese Antwort kannst du nicht geben: Wo du lebst, geben sie die Eltern.", consentNobody: "Unter 18 gibt es keine persönliche Werbung, egal wer zustimmt.",
    myData: "Deine Daten", export: "Alles herunterladen", erase: "Mein Konto löschen", eraseTitle: "Dieses Konto endgültig löschen?", eraseText: "Offene Reservierungen und Anfragen werden zurückgenommen, und du wirst überall abgemeldet. Bestellungen und Zahlungen bleiben ohne deinen Namen und deine Adresse, solange das Gesetz es verlangt. Was schon an dich verschickt ist, kannst du dann nicht mehr auf dieser Seite widerrufen: Schreib dafür dem Shop. Das lässt sich nicht rückgängig machen.", eraseSure: "Endgültig löschen", keepAccount: "Behalten",
    prove: "Bitte zeig, dass du es bist", confirm: "Bestätigen", wrongCode: "Das ist nicht der Code, oder er ist zu alt.", wrongPassword: "Das ist nicht dein Passwort.",
    switchToRegister: "Noch kein Konto?", switchToSignIn: "Schon ein Konto?", hello: "Du bist angemeldet als {name}.", goOn: "Weiter", guestNote: "Zuschauen kannst du auch ohne Konto.",
  },
};

export const say = speaking(words);
