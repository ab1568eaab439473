import { beforeEach, describe, expect, test } from "vitest";
import { amountText, lasting, money, parseAmount } from "./format";
import { filled, language, languageOf, type Tongues } from "./i18n";
import { sorry } from "./sorry";
import { words as shared } from "./words";

const pages = import.meta.glob<{ words: Tongues<string> }>(["../*/words.ts", "./checkout/words.ts"], { eager: true });
const dictionaries: [string, Tongues<string>][] = [...Object.entries(pages).map(([path, module]) => [path, module.words] as [string, Tongues<string>]), ["sorry", sorry], ["shared", shared]];

const blanks = (text: string): string => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();

beforeEach(() => { language.value = "en"; });

describe.each(dictionaries)("the words of %s", (_, tongues) => {
  test("are there in both languages, with the same blanks to fill", () => {
    expect(Object.keys(tongues.de).sort()).toEqual(Object.keys(tongues.en).sort());
    for (const [key, text] of Object.entries(tongues.en)) {
      expect(tongues.de[key]?.trim(), key).toBeTruthy();
      expect(blanks(tongues.de[key] ?? ""), key).toBe(blanks(text));
    }
  });

  test("are not left in the other language", () => {
    const same = Object.keys(tongues.en).filter((key) => tongues.en[key] === tongues.de[key] && (tongues.en[key]?.split(" ").length ?? 0) > 3);
    expect(same).toEqual([]);
  });
});

test("every page has its words", () => expect(dictionaries.length).toBeGreaterThanOrEqual(10));

test("the buttons that bind say what the law wants", () => {
  const checkout = pages["./checkout/words.ts"]?.words;
  expect([checkout?.de.order, checkout?.en.order, checkout?.de.request, checkout?.en.request]).toEqual(["zahlungspflichtig bestellen", "Order with obligation to pay", "Anfrage senden", "Send request"]);
});

describe("a sentence", () => {
  test("is filled in, and chosen by number", () => {
    expect([filled("{n} piece|{n} pieces", { n: 1 }), filled("{n} piece|{n} pieces", { n: 1200 }), filled("{n} Stück", { n: 1200 }, "de")]).toEqual(["1 piece", "1,200 pieces", "1.200 Stück"]);
    expect(filled("at {time}", { time: "18:04" })).toBe("at 18:04");
  });
});

describe("the browser's languages", () => {
  test.each([[["de-AT", "en"], "de"], [["fr", "en-GB", "de"], "en"], [["fr"], "en"], [[], "en"]])("%j → %s", (tags, expected) => expect(languageOf(tags)).toBe(expected));
});

describe("money and time", () => {
  test("are written in the reader's language", () => {
    expect(money({ amount: 199000, currency: "EUR" })).toBe("€1,990.00");
    language.value = "de";
    expect(money({ amount: 1990, currency: "EUR" }).replace(/\s/g, " ")).toBe("19,90 €");
    expect(money({ amount: 1990, currency: "JPY" })).toContain("1.990");
  });

  test("typed amounts become minor units, or nothing", () => {
    expect(["19,90", "19.9", " 19 ", "0,05"].map((text) => parseAmount(text, "EUR"))).toEqual([1990, 1990, 1900, 5]);
    expect(["", "x", "1.999", "-1", "1,2,3"].map((text) => parseAmount(text, "EUR"))).toEqual([null, null, null, null, null]);
    expect([parseAmount("1500", "JPY"), parseAmount("15.0", "JPY"), amountText({ amount: 5, currency: "EUR" })]).toEqual([1500, null, "0.05"]);
  });

  test("tell how long something lasts", () => {
    expect([lasting(0), lasting(59_001), lasting(200_000), lasting(3_720_000)]).toEqual(["0:00", "1:00", "3:20", "1:02:00"]);
  });
});
