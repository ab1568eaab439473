/** Words of signing in and registering. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Sign in", register: "Register", email: "E-mail", password: "Password", name: "Name", born: "Date of birth", country: "Country",
    bornNote: "We only keep the age group it stands for, never the date.", passwordNote: "At least eight characters.", minorNote: "You can watch, chat and ask for things. Your parents or guardians decide about every purchase and pay for it.", minorUnder7: "At this age watching is fine; buying is for your parents or guardians with an account of their own.",
    signIn: "Sign in", create: "Create account", busy: "One moment…", wrong: "E-mail and password do not match.", taken: "There is an account with this e-mail already. Sign in instead.",
    switchToRegister: "No account yet?", switchToSignIn: "Already have an account?", hello: "You are signed in as {name}.", goOn: "Continue", guestNote: "You can watch every show without an account.",
  },
  de: {
    title: "Anmelden", register: "Registrieren", email: "E-Mail", password: "Passwort", name: "Name", born: "Geburtsdatum", country: "Land",
    bornNote: "Wir behalten nur die Altersgruppe, nie das Datum.", passwordNote: "Mindestens acht Zeichen.", minorNote: "Du kannst zuschauen, mitreden und nach etwas fragen. Über jeden Kauf entscheiden deine Eltern, und sie bezahlen ihn.", minorUnder7: "In diesem Alter ist Zuschauen in Ordnung; kaufen können deine Eltern mit ihrem eigenen Konto.",
    signIn: "Anmelden", create: "Konto anlegen", busy: "Einen Moment …", wrong: "E-Mail und Passwort passen nicht zusammen.", taken: "Mit dieser E-Mail gibt es schon ein Konto. Melde dich stattdessen an.",
    switchToRegister: "Noch kein Konto?", switchToSignIn: "Schon ein Konto?", hello: "Du bist angemeldet als {name}.", goOn: "Weiter", guestNote: "Zuschauen kannst du auch ohne Konto.",
  },
};

export const say = speaking(words);
