/** What the endpoint has done and refused, for whoever watches it. */
export class SqsCounters {
  requests = 0;
  /** Open at this moment. */
  connections = 0;
  /** Receives that wait at this moment. */
  waitingReceives = 0;
  refusedConnections = 0;
  refusedWaits = 0;
  /** Queues that were not made, since there were enough. */
  refusedQueues = 0;
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

  /** Below `$SYS/broker/`. */
  *figures(): Generator<readonly [topic: string, value: number]> {
    yield ['sqs/requests', this.requests];
    yield ['sqs/connections', this.connections];
    yield ['sqs/waiting-receives', this.waitingReceives];
    yield ['sqs/refused/connections', this.refusedConnections];
    yield ['sqs/refused/waits', this.refusedWaits];
    yield ['sqs/refused/queues', this.refusedQueues];
    yield ['sqs/refused/bodies', this.refusedBodies];
    yield ['sqs/broken-requests', this.brokenRequests];
    yield ['sqs/released-answers', this.releasedAnswers];
    for (const [code, count] of this.#errors) yield [`sqs/errors/${code}`, count];
  }

  /** Answers that were errors, by their code. */
  errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }
}
