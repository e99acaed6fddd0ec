/** What a command for queues is given: by the command line, and by the process. */

/** What was asked for on the command line. */
export interface QueuesRequest {
  /** `queues ls` */
  readonly command: string;
  /** The queue that it is about, if it is about one. */
  readonly operand: string | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
}

/** What the command needs of the process. */
export interface QueuesConsole {
  print(text: string): void;
  /** Asks somebody at the terminal. @returns null if there is nobody */
  confirm(question: string): Promise<boolean> | null;
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

/** The command makes no sense as it is; nothing has been done. */
export class QueuesMisuse {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
