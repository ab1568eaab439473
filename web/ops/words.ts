/** Words of the operators' page: each number with a hint saying what a rise means. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Operations", lead: "Red is only what needs a hand. Press a number for the events behind it.", notOperator: "For operators", notOperatorText: "Sign in with an operator's account to see this page.",
    viewers: "Viewers", viewersHint: "Open connections at all hubs. A rise costs sending time at studio and edges.",
    orders: "Orders", ordersN: "{n} order|{n} orders", ordersHint: "Orders in any state. Compare with the states below: many held and few paid means that paying is in trouble.",
    approvals: "Waiting for guardians", approvalsHint: "Requests no guardian has answered. A rise binds stock until they answer or it expires.",
    shows: "On air", showsOnAir: "Shows on air", showsHint: "Shows live or paused now. Each one more takes studio CPU and upload.", none: "No show is on air.", others: "Planned and over", showHint: "Everything that was recorded of this show.",
    bitrate: "Bitrate", bitrateHint: "Incoming video and sound. A fall means the host's line is getting worse.", delay: "Studio delay", delayHint: "From a picture's last packet at the studio until its hub has it, the longest of the last two seconds. A rise means a busy studio or lost packets; above 1 s everyone feels it. The way from the host to the studio is not in it.", left: "Pieces left", leftHint: "Free pieces over all offers. A rise means orders that expired or were cancelled; zero sells nothing.", revenue: "Revenue", revenueHint: "Sum of paid orders of this show.",
    look: "Look in", lookHint: "Shows the live picture here. You count as one viewer while you look.", noPicture: "waiting for a picture", trouble_lost: "host lost", trouble_frozen: "picture frozen", trouble_late: "late", trouble_thin: "thin picture", alarm: "The ledger has stopped at {shelf}",
    mails: "Mails: {sent} sent, {waiting} waiting, {refused} refused, {given_up} given up", mailsHint: "Waiting rises when the mail server is away; refused and given up are people who did not hear what they must.",
    state: "State", orderStates: "Orders by state", statesHint: "Orders in this state now. A rise in held or awaiting payment without one in paid means that paying is stuck.", processes: "Processes", process: "Process", pid: "PID", cpu: "CPU", cpuHint: "Of one core. Above 85 % this process falls behind: start a second one.", memory: "Memory", memoryHint: "Resident. A steady rise is a leak.", restarts: "Restarts", restartsHint: "Since start. Every rise has a reason in the log.", up: "Up", upHint: "Time since it was started. A fall means that it was restarted.", running: "running", down: "down", noProcesses: "Nothing is supervised on this machine.",
    updated: "as of {time}", stale: "No answer since {time}", events: "Events", noNumbers: "Nothing yet", held: "Held", trailEmpty: "Nothing of this kind has been recorded lately.",
  },
  de: {
    title: "Betrieb", lead: "Rot ist nur, was eine Hand braucht. Ein Druck auf eine Zahl zeigt die Ereignisse dahinter.", notOperator: "Für den Betrieb", notOperatorText: "Melde dich mit einem Betriebskonto an, um diese Seite zu sehen.",
    viewers: "Zuschauer", viewersHint: "Offene Verbindungen an allen Hubs. Steigt die Zahl, kostet das Sendezeit in Studio und Edges.",
    orders: "Bestellungen", ordersN: "{n} Bestellung|{n} Bestellungen", ordersHint: "Bestellungen in jedem Zustand. Vergleiche mit den Zuständen unten: viele reserviert, wenige bezahlt heißt, das Bezahlen klemmt.",
    approvals: "Warten auf Eltern", approvalsHint: "Anfragen ohne Antwort. Steigt die Zahl, ist Bestand gebunden, bis geantwortet wird oder die Frist endet.",
    shows: "Auf Sendung", showsOnAir: "Shows auf Sendung", showsHint: "Shows, die laufen oder pausieren. Jede weitere braucht CPU des Studios und Bandbreite.", none: "Keine Show ist auf Sendung.", others: "Geplant und vorbei", showHint: "Alles, was von dieser Show aufgezeichnet ist.",
    bitrate: "Bitrate", bitrateHint: "Ankommendes Bild und Ton. Fällt sie, wird die Leitung des Hosts schlechter.", delay: "Studioverzug", delayHint: "Vom letzten Paket eines Bildes im Studio, bis sein Hub es hat; der längste der letzten zwei Sekunden. Steigt er, ist das Studio ausgelastet oder Pakete gehen verloren; über 1 s spüren es alle. Der Weg vom Host zum Studio ist nicht dabei.", left: "Stück übrig", leftHint: "Freie Stück über alle Angebote. Ein Anstieg heißt abgelaufene oder stornierte Bestellungen; null verkauft nichts.", revenue: "Umsatz", revenueHint: "Summe der bezahlten Bestellungen dieser Show.",
    look: "Hineinsehen", lookHint: "Zeigt hier das Livebild. Solange du hinsiehst, zählst du als Zuschauer.", noPicture: "wartet auf ein Bild", trouble_lost: "Host weg", trouble_frozen: "Bild steht", trouble_late: "verspätet", trouble_thin: "dünnes Bild", alarm: "Das Hauptbuch hält bei {shelf} an",
    mails: "Mails: {sent} versandt, {waiting} warten, {refused} abgewiesen, {given_up} aufgegeben", mailsHint: "Warten mehr, ist der Mailserver weg; abgewiesen und aufgegeben heißt, jemand erfährt nicht, was er muss.",
    state: "Zustand", orderStates: "Bestellungen nach Zustand", statesHint: "Bestellungen, die jetzt in diesem Zustand sind. Steigen reserviert oder wartend ohne bezahlt, klemmt das Bezahlen.", processes: "Prozesse", process: "Prozess", pid: "PID", cpu: "CPU", cpuHint: "Eines Kerns. Über 85 % kommt der Prozess nicht nach: starte einen zweiten.", memory: "Speicher", memoryHint: "Belegt. Stetiger Anstieg ist ein Leck.", restarts: "Neustarts", restartsHint: "Seit dem Start. Jeder hat einen Grund im Log.", up: "Läuft", upHint: "Zeit seit dem Start. Ein Sprung nach unten heißt Neustart.", running: "läuft", down: "steht", noProcesses: "Auf dieser Maschine wird nichts überwacht.",
    updated: "Stand {time}", stale: "Keine Antwort seit {time}", events: "Ereignisse", noNumbers: "Noch nichts", held: "Reserviert", trailEmpty: "Davon ist in letzter Zeit nichts aufgezeichnet.",
  },
};

export const say = speaking(words);
