/** The smallest pieces of a case: see the table in the README beside this folder. */
import type { CaseError, CaseSource } from './case-source.js';

export type TokenKind = 'step' | 'time' | 'macro' | 'call' | 'text' | 'raw' | 'hex' | 'any' | 'rest' | 'times' | 'mark';

export interface Token {
  readonly kind: TokenKind;
  /** Without quotes, `$` and the like. */
  readonly text: string;
  /** The letter in front of a step or macro; empty without one. */
  readonly client: string;
  readonly source: CaseSource;
  readonly index: number;
}

// Tried in this order; the groups are client and text, where there are two.
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['step', /([a-z])?([<>])(?=\s)/y],
  ['step', /(?:([a-z]):)?(open|close|silence|drop|end)(?=\s|$)/y],
  ['call', /(?:([a-z]):)?\$([a-zA-Z][a-zA-Z0-9]*)\(/y],
  ['macro', /(?:([a-z]):)?\$([a-zA-Z][a-zA-Z0-9]*)/y],
  ['time', /()\+([0-9.]+m?s)(?=\s|$)/y],
  ['text', /()'([^'\n]*)'/y],
  ['raw', /()"([^"\n]*)"/y],
  ['hex', /()((?:[0-9a-f]{2})+)(?=[\s()[\],*]|$)/y],
  ['any', /()(\.\.)/y],
  ['rest', /()(\*\*)/y],
  ['times', /()\*([0-9]+)/y],
  ['mark', /()([()[\],])/y],
];

const SPACE = /\s*/y;

/**
 * @param start where in the text to begin
 * @throws CaseError at what cannot be read
 */
export function tokensOf(source: CaseSource, start: number): Token[] {
  const tokens: Token[] = [];
  for (let index = spaceEnd(source.text, start); index < source.text.length; ) {
    const [token, end] = tokenAt(source, index);
    tokens.push(token);
    index = spaceEnd(source.text, end);
  }
  return tokens;
}

export function errorAt(token: Token, message: string): CaseError {
  return token.source.errorAt(token.index, message);
}

function tokenAt(source: CaseSource, index: number): [token: Token, end: number] {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = index;
    const match = pattern.exec(source.text);
    if (match === null) continue;
    const token = { kind, text: match[2] ?? '', client: match[1] ?? '', source, index };
    return [token, pattern.lastIndex];
  }
  const word = /^\S+/.exec(source.text.slice(index))?.[0];
  throw source.errorAt(index, `cannot read ${word}`);
}

function spaceEnd(text: string, start: number): number {
  SPACE.lastIndex = start;
  SPACE.exec(text);
  return SPACE.lastIndex;
}
