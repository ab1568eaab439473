import { describe, expect, test } from "vitest";
import { Jar } from "./jar";

const RATE = 48_000;
const BLOCK = 128;

const tone = (frames: number, from = 0): Float32Array[] => {
  const samples = Float32Array.from({ length: frames }, (_, i) => Math.sin(((from + i) * 2 * Math.PI * 440) / RATE) + 2);
  return [samples, samples];
};

function pour(jar: Jar, blocks: number): number[] {
  const heard: number[] = [];
  for (let block = 0; block < blocks; block += 1) {
    const out = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
    jar.pour(out);
    heard.push(...(out[0] as Float32Array));
  }
  return heard;
}

/** Packets of 20 ms in real time by a clock that is `fast` times ours; what is in the jar at the end. */
function evening(jar: Jar, seconds: number, fast = 1): { silent: number; heldS: number } {
  let sent = 0, silent = 0;
  for (let played = 0; played < seconds * RATE; played += BLOCK) {
    for (; sent <= played * fast; sent += 960) jar.fill(tone(960, sent));
    silent += pour(jar, 1).filter((each) => each === 0).length;
  }
  return { silent, heldS: jar.heldS };
}

describe("the jar of sound", () => {
  test("is silent until it holds enough, and then unbroken", () => {
    const jar = new Jar(RATE, 0.06);
    jar.fill(tone(960));
    expect(pour(jar, 1).every((each) => each === 0)).toBe(true);
    jar.fill(tone(960, 960));
    jar.fill(tone(960, 1920));
    const heard = pour(jar, 20);
    expect(heard.every((each) => each > 0.9)).toBe(true);
    const steps = heard.slice(1).map((each, i) => Math.abs(each - (heard[i] as number)));
    expect(Math.max(...steps)).toBeLessThan(0.07); // no click: a 440 Hz tone moves that much in a frame and no more
  });

  test("stays at its target under a clock that runs faster or slower", () => {
    for (const fast of [1, 1.002, 0.998]) {
      const { silent, heldS } = evening(new Jar(RATE, 0.06), 20, fast);
      expect(heldS).toBeGreaterThan(0.03);
      expect(heldS).toBeLessThan(0.09);
      expect(silent).toBeLessThan(RATE * 0.1);
    }
  });

  test("lets go of what is far too much, and counts when it runs dry", () => {
    const jar = new Jar(RATE, 0.06);
    jar.fill(tone(RATE));
    expect(jar.heldS).toBeLessThan(0.1);
    pour(jar, 60);
    expect(jar.dry).toBe(1);
    jar.fill(tone(960));
    expect(pour(jar, 1).every((each) => each === 0)).toBe(true); // it begins again only with enough
  });
});
