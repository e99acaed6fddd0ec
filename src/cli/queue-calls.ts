/** Asks a running broker about its queues; who names one that is not there is told which one may have been meant. */
import { type DamagedQueue, type QueueSummary, queueList } from '../http/queue-answers.js';
import { AdminCallFailed, type AdminClient, type AdminMethod } from './admin-client.js';
import { adminPages } from './admin-pages.js';
import { adminPath } from './admin-path.js';
import { closestName, didYouMean } from './suggestion.js';

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
      return await this.#client.call(method, `${adminPath('queues', name)}${path}`, body);
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
    let damaged: readonly DamagedQueue[] = [];
    for await (const page of adminPages(this.#client, queueList, adminPath('queues'))) {
      queues.push(...page.queues);
      damaged = page.damaged;
    }
    return { queues, damaged };
  }
}
