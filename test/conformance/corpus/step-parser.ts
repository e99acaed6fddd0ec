/** Steps out of the tokens of one case, macros replaced. */
import { type BytePattern, encodePatterns, hasWildcards } from './byte-pattern.js';
import type { Step } from './step.js';
import { errorAt, type Token } from './tokens.js';

const DEFAULT_CLIENT = 'a';
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']' };

/** @throws CaseError at the token that is wrong */
export function parseSteps(tokens: readonly Token[]): Step[] {
  return new StepParser(tokens).parse();
}

class StepParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Step[] {
    const steps: Step[] = [];
    for (let token = this.#take(); token !== undefined; token = this.#take()) steps.push(this.#step(token));
    return steps;
  }

  #take(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  #step(token: Token): Step {
    const place = token.source.placeOf(token.index);
    const client = token.client || DEFAULT_CLIENT;
    if (token.kind === 'time') return { kind: 'advance', ms: millisecondsOf(token), place };
    if (token.kind !== 'step') throw errorAt(token, `expected a step, found ${token.text}`);
    switch (token.text) {
      case '>':
        return { kind: 'send', client, bytes: this.#bytesToSend(token), place };
      case '<':
        return { kind: 'expect', client, patterns: this.#patterns(token), place };
      default:
        return { kind: token.text as 'open' | 'close' | 'silence' | 'drop' | 'end', client, place };
    }
  }

  #bytesToSend(arrow: Token): Buffer {
    const patterns = this.#patterns(arrow);
    if (hasWildcards(patterns)) throw errorAt(arrow, '.. and ** stand for bytes that come, not for bytes to send');
    return encodePatterns(patterns);
  }

  #patterns(arrow: Token): BytePattern[] {
    const patterns = this.#sequence();
    if (patterns.length === 0) throw errorAt(arrow, `no bytes after ${arrow.text}`);
    if (patterns.some(({ kind }) => kind === 'rest')) throw errorAt(arrow, '** stands in ( … ) or [ … ]');
    return patterns;
  }

  /** Up to a step, a closing bracket or the end. */
  #sequence(): BytePattern[] {
    const patterns: BytePattern[] = [];
    for (let token = this.#take(); token !== undefined; token = this.#take()) {
      if (token.kind === 'times') repeatLast(patterns, token);
      else {
        const pattern = this.#pattern(token);
        if (pattern === undefined) {
          this.#at--;
          break;
        }
        patterns.push(pattern);
      }
    }
    return patterns;
  }

  #pattern(token: Token): BytePattern | undefined {
    switch (token.kind) {
      case 'hex':
        return { kind: 'bytes', bytes: Buffer.from(token.text, 'hex') };
      case 'raw':
        return { kind: 'bytes', bytes: Buffer.from(token.text) };
      case 'text':
        return { kind: 'group', prefix: 'two-byte', content: [{ kind: 'bytes', bytes: Buffer.from(token.text) }] };
      case 'any':
      case 'rest':
        return { kind: token.kind };
      case 'mark':
        return token.text === '(' || token.text === '[' ? this.#group(token) : undefined;
      default:
        return undefined;
    }
  }

  #group(opening: Token): BytePattern {
    const content = this.#sequence();
    const closing = this.#take();
    if (closing?.kind !== 'mark' || closing.text !== CLOSING[opening.text]) {
      throw errorAt(closing ?? opening, `${opening.text} is not closed here`);
    }
    return { kind: 'group', prefix: opening.text === '(' ? 'variable' : 'two-byte', content };
  }
}

/** `0000*3`: what stands before it, three times in all. */
function repeatLast(patterns: BytePattern[], times: Token): void {
  const last = patterns.pop();
  if (last === undefined) throw errorAt(times, 'nothing to repeat');
  const count = Number(times.text);
  if (last.kind === 'bytes') {
    patterns.push({ kind: 'bytes', bytes: Buffer.concat(new Array<Buffer>(count).fill(last.bytes)) });
  } else patterns.push(...new Array<BytePattern>(count).fill(last));
}

function millisecondsOf(token: Token): number {
  const unit = token.text.endsWith('ms') ? 1 : 1000;
  const value = Number(token.text.replace(/m?s$/, '')) * unit;
  if (!Number.isFinite(value)) throw errorAt(token, `+${token.text} is no time`);
  return value;
}
