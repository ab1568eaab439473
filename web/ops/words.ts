/** Words of the operators' page: each number with a hint saying what a rise means. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Operations", lead: "Everything on one screen. Red is only what needs a hand.", notOperator: "For operators", notOperatorText: "Sign in with an operator's account to see this page.",
    viewers: "Viewers", viewersHint: "Open connections at all hubs. A rise costs sending time at studio and edges.",
    orders: "Orders", ordersHint: "All orders in any state. Compare with the states below: many held and few paid means that paying is in trouble.",
    approvals: "Waiting for guardians", approvalsHint: "Requests no guardian has answered. A rise binds stock until they answer or it expires.",
    shows: "Shows", showsOnAir: "On air", showsHint: "Shows live or paused now.", none: "No show is on air or planned.",
    bitrate: "Bitrate", bitrateHint: "Incoming video. A fall means the host's line is getting worse.", delay: "Delay", delayHint: "Studio to hub. A rise above 1 s is felt by everyone; look at the studio's CPU first.", left: "Left", leftHint: "Free pieces over all offers. Zero sells nothing.", revenue: "Revenue", revenueHint: "Sum of paid orders of this show.", paidOrders: "Paid", show: "Show", state: "State",
    orderStates: "Orders by state", statesHint: "Orders in this state now.", processes: "Processes", process: "Process", pid: "PID", cpu: "CPU", cpuHint: "Of one core. Above 85 % this process falls behind: start a second one.", memory: "Memory", memoryHint: "Resident. A steady rise is a leak.", restarts: "Restarts", restartsHint: "Since start. Every rise has a reason in the log.", up: "Up since", running: "running", down: "down", updated: "as of {time}", stale: "No answer since {time}", events: "events", noNumbers: "Nothing yet", held: "Held",
    log: "Events of {title}", openLog: "Events behind {title}", logEmpty: "No entries.", close: "Close",
  },
  de: {
    title: "Betrieb", lead: "Alles auf einem Schirm. Rot ist nur, was eine Hand braucht.", notOperator: "Für den Betrieb", notOperatorText: "Melde dich mit einem Betriebskonto an, um diese Seite zu sehen.",
    viewers: "Zuschauer", viewersHint: "Offene Verbindungen an allen Hubs. Steigt die Zahl, kostet das Sendezeit in Studio und Edges.",
    orders: "Bestellungen", ordersHint: "Alle Bestellungen in jedem Zustand. Vergleiche mit den Zuständen unten: viele reserviert, wenige bezahlt heißt, das Bezahlen klemmt.",
    approvals: "Warten auf Eltern", approvalsHint: "Anfragen ohne Antwort. Steigt die Zahl, ist Bestand gebunden, bis geantwortet wird oder die Frist endet.",
    shows: "Shows", showsOnAir: "Auf Sendung", showsHint: "Shows, die laufen oder pausieren.", none: "Keine Show läuft oder ist geplant.",
    bitrate: "Bitrate", bitrateHint: "Ankommendes Video. Fällt sie, wird die Leitung des Hosts schlechter.", delay: "Verzug", delayHint: "Studio bis Hub. Über 1 s spüren es alle; sieh zuerst auf die CPU des Studios.", left: "Noch da", leftHint: "Freie Stück über alle Angebote. Null verkauft nichts.", revenue: "Umsatz", revenueHint: "Summe der bezahlten Bestellungen dieser Show.", paidOrders: "Bezahlt", show: "Show", state: "Zustand",
    orderStates: "Bestellungen nach Zustand", statesHint: "Bestellungen, die jetzt in diesem Zustand sind.", processes: "Prozesse", process: "Prozess", pid: "PID", cpu: "CPU", cpuHint: "Eines Kerns. Über 85 % kommt der Prozess nicht nach: starte einen zweiten.", memory: "Speicher", memoryHint: "Belegt. Stetiger Anstieg ist ein Leck.", restarts: "Neustarts", restartsHint: "Seit dem Start. Jeder hat einen Grund im Log.", up: "Läuft seit", running: "läuft", down: "steht", updated: "Stand {time}", stale: "Keine Antwort seit {time}", events: "Ereignisse", noNumbers: "Noch nichts", held: "Reserviert",
    log: "Ereignisse von {title}", openLog: "Ereignisse hinter {title}", logEmpty: "Keine Einträge.", close: "Schließen",
  },
};

export const say = speaking(words);
