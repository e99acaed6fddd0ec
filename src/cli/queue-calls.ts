/** Asks a running broker about its queues; who names one that is not there is told which one may have been meant. */
import type { DamagedQueue, QueueList, QueueSummary } from '../http/queue-answers.js';
import { AdminCallFailed, type AdminClient, type AdminMethod } from './admin-client.js';
import { closestName, didYouMean } from './suggestion.js';

const QUEUES = '/api/v1/queues';
const PAGE = 1000;

export class QueueCalls {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  /** What concerns no queue, or all of them. @throws AdminCallFailed, as all of these */
  async call(method: AdminMethod, path: string): Promise<unknown> {
    return await this.#client.call(method, path);
  }

  /**
   * What concerns one queue.
   * @param path behind its name
   * @param other another queue that the call names
   */
  async ofQueue(name: string, method: AdminMethod, path: string, body?: object, other = ''): Promise<unknown> {
    try {
      return await this.#client.call(method, `${QUEUES}/${encodeURIComponent(name)}${path}`, body);
    } catch (error) {
      if (!(error instanceof AdminCallFailed) || error.problem !== 'queue-not-found') throw error;
      const names = (await this.list()).queues.map((queue) => queue.name);
      const meant = closestName(names.includes(name) ? other : name, names);
      throw new AdminCallFailed(`${error.message}${didYouMean(meant)}`, error.problem);
    }
  }

  /** All queues, whatever number of pages they take. */
  async list(): Promise<{ readonly queues: readonly QueueSummary[]; readonly damaged: readonly DamagedQueue[] }> {
    const queues: QueueSummary[] = [];
    for (let cursor = ''; ; ) {
      const page = (await this.call(
        'GET',
        `${QUEUES}?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`,
      )) as QueueList;
      queues.push(...page.queues);
      if (page.cursor === null) return { queues, damaged: page.damaged };
      cursor = page.cursor;
    }
  }
}
