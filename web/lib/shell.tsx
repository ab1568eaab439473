/** The bar at the top and the frame around every page except the stage. */
import { LogIn, LogOut, UserRound } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { language, speakLanguage } from "./i18n";
import { me, signInAddress, signOut } from "./session";
import { say, type Word } from "./words";

const PLACES: { href: string; word: Word; role?: string[] }[] = [
  { href: "/", word: "home" },
  { href: "/orders", word: "orders" },
  { href: "/guardian", word: "guardian", role: ["guardian", "minor"] },
  { href: "/studio", word: "studio", role: ["host", "operator"] },
  { href: "/ops", word: "ops", role: ["operator"] },
];

export function Mark() {
  return <a class="mark" href="/"><span class="mark-sign" aria-hidden="true" />livesale</a>;
}

export function Tongue() {
  return (
    <span class="tongue" role="group" aria-label={say("language")}>
      {(["de", "en"] as const).map((each) => (
        <button type="button" key={each} lang={each} aria-pressed={language.value === each} onClick={() => speakLanguage(each)}>
          {each.toUpperCase()}<span class="visually-hidden">{each === "de" ? " Deutsch" : " English"}</span>
        </button>
      ))}
    </span>
  );
}

export function Account() {
  const who = me.value;
  if (who === undefined) return null;
  if (who === null) {
    return <a class="button button-small" href={signInAddress()} data-testid="sign-in"><LogIn size={16} aria-hidden="true" />{say("signIn")}</a>;
  }
  return (
    <>
      <a class="button button-small button-plain" href="/login" title={who.email} data-testid="to-account">
        <UserRound size={16} aria-hidden="true" /><span class="account-name">{who.name}</span><span class="visually-hidden">{say("account")}</span>
      </a>
      <button type="button" class="button button-small button-plain" onClick={() => void signOut()} title={say("signOut")} data-testid="sign-out">
        <LogOut size={16} aria-hidden="true" /><span class="visually-hidden">{say("signOut")}</span>
      </button>
    </>
  );
}

export function Bar({ here }: { here: string }) {
  const places = PLACES.filter(({ role }) => !role || allowed(role));
  return (
    <header class="bar">
      <a class="skip-link" href="#content">{say("toContent")}</a>
      <Mark />
      <span class="bar-space" />
      <nav aria-label={say("mainMenu")}>
        {places.map(({ href, word }) => <a key={href} href={href} aria-current={href === here ? "page" : undefined}>{say(word)}</a>)}
      </nav>
      <Tongue />
      <Account />
    </header>
  );
}

export function Frame({ here, width, children }: { here: string; width?: "narrow" | "wide"; children: ComponentChildren }) {
  return (
    <>
      <Bar here={here} />
      <main id="content" class={width ? `page page-${width}` : "page"}>{children}</main>
    </>
  );
}

function allowed(roles: string[]): boolean {
  const who = me.value;
  if (!who) return false;
  const minor = who.age_band !== "adult" && roles.includes("minor");
  return minor || roles.some((role) => who.roles.includes(role));
}
