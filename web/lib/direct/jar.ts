/** Sound between decoder and loudspeaker: a small stock of samples, kept at its target by playing a trifle faster or slower. Pure. */

/** Half a per cent is a twelfth of a semitone: nobody hears it, and 50 ms are made up for in ten seconds. */
const BEND = 0.005;
/** That much above the target is let go of at once. */
const TOO_MUCH_S = 0.15;
const NEAR_S = 0.01;

export class Jar {
  private chunks: Float32Array[][] = [];
  private at = 0; // into the first chunk, in frames and parts of one
  private frames = 0;
  private pouring = false;
  /** Times it was empty while it should have sounded. */
  dry = 0;

  constructor(private readonly rate: number, private targetS: number) {}

  aim(targetS: number): void {
    this.targetS = targetS;
  }

  /** One chunk: as many arrays as there are channels. */
  fill(channels: Float32Array[]): void {
    this.chunks.push(channels);
    this.frames += channels[0]?.length ?? 0;
    if (this.heldS > this.targetS + TOO_MUCH_S) this.skip(this.heldS - this.targetS);
  }

  get heldS(): number {
    return (this.frames - this.at) / this.rate;
  }

  /** Fills `out` with the next frames, or leaves it silent while there is not enough to begin with. */
  pour(out: Float32Array[]): void {
    if (!this.pouring && this.heldS >= this.targetS) this.pouring = true;
    if (!this.pouring) return;
    const off = this.heldS - this.targetS;
    const step = Math.abs(off) < NEAR_S ? 1 : 1 + Math.sign(off) * BEND;
    const length = out[0]?.length ?? 0;
    for (let i = 0; i < length; i += 1) {
      if (this.frames - this.at < 2) {
        this.pouring = false;
        this.dry += 1;
        return;
      }
      this.take(out, i);
      this.forward(step);
    }
  }

  private take(out: Float32Array[], i: number): void {
    const first = this.chunks[0] as Float32Array[];
    const index = Math.floor(this.at), part = this.at - index;
    out.forEach((channel, c) => {
      const samples = (first[c] ?? first[0]) as Float32Array;
      const next = index + 1 < samples.length ? samples[index + 1] : (this.chunks[1]?.[c] ?? this.chunks[1]?.[0])?.[0];
      const here = samples[index] as number;
      channel[i] = here + part * ((next ?? here) - here);
    });
  }

  private forward(step: number): void {
    this.at += step;
    while (this.chunks[0] && this.at >= (this.chunks[0][0] as Float32Array).length) {
      const gone = (this.chunks[0][0] as Float32Array).length;
      this.chunks.shift();
      this.at -= gone;
      this.frames -= gone;
    }
  }

  private skip(seconds: number): void {
    this.forward(Math.floor(seconds * this.rate));
  }
}
