/** What the endpoint has done and refused, for whoever watches it. */
export class SqsCounters {
  requests = 0;
  /** Open at this moment. */
  connections = 0;
  /** Receives that wait at this moment. */
  waitingReceives = 0;
  refusedConnections = 0;
  refusedWaits = 0;
  /** Requests whose bodies were too large, or too much together. */
  refusedBodies = 0;
  /** What was no HTTP, or did not come in time. */
  brokenRequests = 0;
  /** Answers with messages that could not be sent: the messages went back. */
  releasedAnswers = 0;
  readonly #errors = new Map<string, number>();

  countError(queryCode: string): void {
    this.#errors.set(queryCode, (this.#errors.get(queryCode) ?? 0) + 1);
  }

  /** Answers that were errors, by their code. */
  errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }
}
