/** What an oracle has to say: in words, and by a name that stays the same while an input shrinks. */
export type FindingKind =
  | 'conversation'
  | 'not-ended'
  | 'ended'
  | 'unanswered'
  | 'refused'
  | 'crash'
  | 'log'
  | 'witness'
  | 'memory'
  | 'leftover'
  | 'restart';

export class Finding extends Error {
  readonly kind: FindingKind;

  constructor(kind: FindingKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
