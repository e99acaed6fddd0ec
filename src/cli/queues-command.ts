/** `millrace queues …`: what an administrator asks of the queues of a running broker, and what is shown of the answer. */
import type { MessagePage } from '../http/message-answer.js';
import type { GiveUpAnswer, PurgeAnswer, QueueDetail, RedriveAnswer } from '../http/queue-answers.js';
import { AdminCallFailed, type AdminClient, type AdminMethod } from './admin-client.js';
import { type AdminConsole, AdminMisuse, type AdminRequest, askFirst, showAnswer } from './admin-request.js';
import { QueueCalls } from './queue-calls.js';
import { searchQueues } from './queues-search.js';
import { countOf, messagesText, queueListText, queueText, redriveText } from './queues-text.js';

const POLL_MS = 500;

/**
 * @returns whether what was asked for has come about
 * @throws AdminCallFailed
 */
export async function runQueuesCommand(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { command } = request;
  const calls = new QueueCalls(client);
  const run = new QueuesRun(request, calls, console);
  switch (command) {
    case 'queues ls':
      return await run.list();
    case 'queues show':
      return await run.show();
    case 'queues peek':
      return await run.peek();
    case 'queues search':
      return await searchQueues(request, calls, console);
    case 'queues purge':
      return await run.purge();
    case 'queues give-up':
      return await run.giveUp();
    default:
      return await run.redrive();
  }
}

class QueuesRun {
  readonly #request: AdminRequest;
  readonly #calls: QueueCalls;
  readonly #console: AdminConsole;
  readonly #name: string;

  constructor(request: AdminRequest, calls: QueueCalls, console: AdminConsole) {
    this.#request = request;
    this.#calls = calls;
    this.#console = console;
    this.#name = request.operand ?? '';
  }

  async list(): Promise<boolean> {
    const list = await this.#calls.list();
    return this.#show(list, () => queueListText(list.queues, list.damaged));
  }

  async show(): Promise<boolean> {
    const queue = (await this.#ask('GET', '')) as QueueDetail;
    return this.#show(queue, () => queueText(queue));
  }

  async peek(): Promise<boolean> {
    const { options } = this.#request;
    const query = new URLSearchParams();
    for (const name of ['limit', 'state', 'group', 'cursor']) {
      const value = options.get(name);
      if (value !== undefined) query.set(name, value);
    }
    const page = (await this.#ask('GET', `/messages?${query}`)) as MessagePage;
    return this.#show(page, () => messagesText(page, this.#console.nowMs()));
  }

  async purge(): Promise<boolean | AdminMisuse> {
    if (!this.#request.switches.has('yes')) {
      const { statistics } = (await this.#ask('GET', '')) as QueueDetail;
      const { ready, inFlight, delayed } = statistics;
      const question = `Give up all ${countOf(ready + inFlight + delayed, 'message')} of ${this.#name}, for good?`;
      const refusal = await this.#confirm(question);
      if (refusal !== null) return refusal;
    }
    const answer = (await this.#ask('POST', '/purge')) as PurgeAnswer;
    return this.#show(
      answer,
      () => `${countOf(answer.purged, 'message')} of ${answer.queue} ${answer.purged === 1 ? 'is' : 'are'} gone\n`,
    );
  }

  async giveUp(): Promise<boolean | AdminMisuse> {
    if (!this.#request.switches.has('yes')) {
      const { damaged } = await this.#calls.list();
      const queue = damaged.find(({ number }) => String(number) === this.#name);
      if (queue === undefined) throw new AdminCallFailed(`There is no damaged queue with the number ${this.#name}`);
      const kept = countOf(queue.messages, 'message');
      const refusal = await this.#confirm(`Give up the damaged queue ${this.#name} with its ${kept}, for good?`);
      if (refusal !== null) return refusal;
    }
    const path = `/api/v1/damaged-queues/${encodeURIComponent(this.#name)}`;
    const answer = (await this.#calls.call('DELETE', path)) as GiveUpAnswer;
    return this.#show(
      answer,
      () => `the damaged queue ${answer.number} is gone, with ${countOf(answer.messages, 'message')}\n`,
    );
  }

  async redrive(): Promise<boolean | AdminMisuse> {
    const { options, switches } = this.#request;
    const beginnings = ['to', 'ids', 'rate'].filter((name) => options.has(name));
    const verbs = ['status', 'cancel'].filter((name) => switches.has(name));
    if (verbs.length > 1 || (verbs.length === 1 && beginnings.length > 0)) {
      return new AdminMisuse(`--${verbs[0]} cannot be given with --${verbs[1] ?? beginnings[0]}`);
    }
    let answer: RedriveAnswer;
    if (switches.has('cancel')) answer = (await this.#ask('DELETE', '/redrive')) as RedriveAnswer;
    else if (switches.has('status')) answer = await this.#progress();
    else {
      const body = redriveBody(options);
      if (body instanceof AdminMisuse) return body;
      answer = (await this.#ask('POST', '/redrive', body)) as RedriveAnswer;
    }
    while (switches.has('wait') && answer.state === 'running') {
      await this.#console.sleep(POLL_MS);
      answer = await this.#progress();
    }
    this.#show(answer, () => redriveText(answer));
    return !switches.has('wait') || answer.state === 'completed';
  }

  async #progress(): Promise<RedriveAnswer> {
    return (await this.#ask('GET', '/redrive')) as RedriveAnswer;
  }

  #show(answer: object, text: () => string): true {
    return showAnswer(this.#request, this.#console, answer, text);
  }

  #confirm(question: string): Promise<false | AdminMisuse | null> {
    return askFirst(this.#request, this.#console, question);
  }

  /** Of the queue of the command; a redrive may name another one. */
  async #ask(method: AdminMethod, path: string, body?: object): Promise<unknown> {
    return await this.#calls.ofQueue(this.#name, method, path, body, this.#request.options.get('to'));
  }
}

function redriveBody(options: ReadonlyMap<string, string>): object | AdminMisuse {
  const target = options.get('to');
  const rate = options.get('rate');
  const ids = options
    .get('ids')
    ?.split(',')
    .filter((id) => id !== '');
  const perSecond = Number(rate ?? 0);
  if (rate !== undefined && !(perSecond > 0)) {
    return new AdminMisuse(`flag --rate: expected a number above 0, found "${rate}"`);
  }
  return {
    ...(target === undefined ? {} : { target }),
    ...(ids === undefined ? {} : { ids }),
    ...(rate === undefined ? {} : { perSecond }),
  };
}
