// The reader's own answers by position: as the server knows them, with what was given here since.
import { saidIn } from "./said.js";

const PACE_OF = 20;
const FEWEST = 3;

export class Answers {
  /** `state`: what presenters/sent_to_reader.py gives. */
  constructor(state) {
    this.total = state.total;
    this.facts = state.facts;
    this.pace = state.pace;
    this.times = [];
    // Photos that were taken out of the study: nothing is asked of them.
    this.gone = new Set(state.gone);
    this.rows = new Map(Object.entries(state.answers).map(([position, row]) => [Number(position), row]));
  }

  at(position) {
    return this.rows.get(position) ?? null;
  }

  /** The number of the answer as it is known here; 0 before there is one. */
  number(position) {
    return this.at(position)?.number ?? 0;
  }

  isGone(position) {
    return this.gone.has(position);
  }

  isGiven(position) {
    return this.isGone(position) || Boolean(this.at(position)?.choice);
  }

  put(position, row) {
    this.rows.set(position, row);
  }

  /** Show an answer that is on its way: what `body` will make of the photo's row. */
  putGiven(position, body) {
    const before = this.at(position) ?? { ...saidIn(null), first: "" };
    const row = body.first ? { ...before, first: body.choice } : { ...before, ...saidIn(body) };
    this.put(position, { ...row, number: body.known + 1 });
  }

  get given() {
    return Array.from({ length: this.total }, (_, index) => index + 1).filter((place) => this.isGiven(place)).length;
  }

  /** The first photo that is not answered yet; one more than there are when all are. */
  get next() {
    let position = 1;
    while (position <= this.total && this.isGiven(position)) position += 1;
    return position;
  }

  get isComplete() {
    return this.total > 0 && this.next > this.total;
  }

  noteTime(seconds) {
    this.times = [...this.times, seconds].slice(-PACE_OF);
  }

  /** Seconds that the rest will take at the pace of the last answers; null while that is not known. */
  get secondsLeft() {
    const sorted = [...this.times].sort((a, b) => a - b);
    const pace = sorted.length >= FEWEST ? sorted[Math.floor(sorted.length / 2)] : this.pace;
    return pace === null ? null : pace * (this.total - this.given);
  }
}
