/** The choice of a country, by its name in the language in use. */
import { language } from "./i18n";

const COUNTRIES = ["DE", "AT", "CH", "BE", "CZ", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "LU", "NL", "PL", "SE", "US"];

export function CountryChoice({ chosen, label, choose }: { chosen: string; label: string; choose?: (code: string) => void }) {
  const names = new Intl.DisplayNames([language.value], { type: "region" });
  const all = COUNTRIES.includes(chosen) ? COUNTRIES : [chosen, ...COUNTRIES];
  return (
    <label class="field">
      <span>{label}</span>
      <select name="country" autocomplete="shipping country" onChange={choose && ((event) => choose(event.currentTarget.value))}>
        {all.map((code) => <option key={code} value={code} selected={code === chosen}>{names.of(code) ?? code}</option>)}
      </select>
    </label>
  );
}
