/** The choice of a country, by its name in the language in use. */
import { language } from "./i18n";

const COUNTRIES = ["DE", "AT", "CH", "BE", "CZ", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "LU", "NL", "PL", "SE", "US"];

export function CountryChoice({ chosen, label }: { chosen: string; label: string }) {
  const names = new Intl.DisplayNames([language.value], { type: "region" });
  const all = COUNTRIES.includes(chosen) ? COUNTRIES : [chosen, ...COUNTRIES];
  return (
    <label class="field">
      <span>{label}</span>
      <select name="country" autocomplete="shipping country">
        {all.map((code) => <option key={code} value={code} selected={code === chosen}>{names.of(code) ?? code}</option>)}
      </select>
    </label>
  );
}
