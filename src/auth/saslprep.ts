/**
 * SASLprep (RFC 4013): the one form of a user name or password that can be typed in several ways. It is described by
 * the tables of Unicode 3.2; here the tables that later versions did not touch are written out, and what grew with Unicode
 * (normalisation, which code points are assigned) is that of the running Node, so that newer scripts can be used.
 */

/** Table C.1.2 of RFC 3454: spaces other than U+0020. */
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;

/** Table B.1: commonly mapped to nothing. */
const MAPPED_TO_NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/** Tables C.2.1, C.2.2, C.3 to C.9: control, private use, surrogates, and what is not plain text. C.1.2 is gone by then. */
const PROHIBITED = new RegExp(
  [
    '\\p{Cc}|\\p{Co}|\\p{Cs}|\\p{Noncharacter_Code_Point}',
    '[\\u06dd\\u070f\\u180e\\u200c\\u200d\\u2028\\u2029\\u2060-\\u2063\\u206a-\\u206f\\ufeff]',
    '[\\ufff9-\\ufffd\\u2ff0-\\u2ffb\\u0340\\u0341\\u200e\\u200f\\u202a-\\u202e]',
    '[\\u{1d173}-\\u{1d17a}\\u{e0001}\\u{e0020}-\\u{e007f}]',
  ].join('|'),
  'u',
);

const UNASSIGNED = /\p{Cn}/u;

/** Table D.1, runs from right to left: the letters of these scripts, and some signs. */
const RIGHT_TO_LEFT =
  /(?=\p{L})[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\u0640]|[\u05be\u05c0\u05c3\u05f3\u05f4\u061b\u061f\u066d\u06d4\u06fd\u06fe\u0700-\u070d\ufdfc]/u;

/** Stands for table D.2, runs from left to right: every other letter. */
const LETTER = /[\p{L}\p{Mc}\p{Nl}]/u;

/** A text that SASLprep refuses. */
export class UnpreparedText {
  /** Continues "the user name …" or "the password …". */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * @param use `stored` for what will be compared with, `query` for what is compared (RFC 3454 section 7): only the
 *   former refuses code points that Unicode may still define
 */
export function saslprep(text: string, use: 'stored' | 'query'): string | UnpreparedText {
  const prepared = text.replace(OTHER_SPACES, ' ').replace(MAPPED_TO_NOTHING, '').normalize('NFKC');
  if (prepared === '') return new UnpreparedText('is empty');
  const prohibited = PROHIBITED.exec(prepared) ?? (use === 'stored' ? UNASSIGNED.exec(prepared) : null);
  if (prohibited !== null) return new UnpreparedText(`must not contain ${codePointName(prohibited[0])} (RFC 4013)`);
  if (!isBidirectionalInOrder(prepared)) {
    return new UnpreparedText('mixes letters that run from right to left with others (RFC 3454 section 6)');
  }
  return prepared;
}

function isBidirectionalInOrder(text: string): boolean {
  if (!RIGHT_TO_LEFT.test(text)) return true;
  const characters = [...text];
  if (characters.some((each) => LETTER.test(each) && !RIGHT_TO_LEFT.test(each))) return false;
  return RIGHT_TO_LEFT.test(characters[0] as string) && RIGHT_TO_LEFT.test(characters.at(-1) as string);
}

function codePointName(character: string): string {
  return `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
}
