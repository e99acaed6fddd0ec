/** What is wrong in a file of rules. */
export interface RuleProblem {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** A word that is not known, and those that could have been meant. */
  readonly word?: string;
  readonly candidates?: readonly string[];
}
