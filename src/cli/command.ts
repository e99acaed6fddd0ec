/** What the executable can be told to do, and what the help says of it. */
export interface Command {
  /** As it is typed. */
  readonly name: string;
  readonly summary: string;
  readonly details: string;
  /** Whether it reads the configuration, and so takes `--config` and the flags that stand for settings. */
  readonly readsConfiguration: boolean;
  /** What follows its name, as the help shows it; several are separated by blanks. */
  readonly operand?: string;
  /** It may be left out. */
  readonly isOperandOptional?: boolean;
  /** Flags of its own. */
  readonly flags?: readonly CommandFlag[];
}

export interface CommandFlag {
  readonly name: string;
  /** What its value is called; one without is given or not. */
  readonly value?: string;
  readonly help: string;
}
