/** `millrace queues …`: what an administrator asks of the queues of a running broker, and what is shown of the answer. */
import type { MessagePage } from '../http/message-answer.js';
import type { PurgeAnswer, QueueDetail, QueueList, QueueSummary, RedriveAnswer } from '../http/queue-answers.js';
import { AdminCallFailed, AdminClient } from './admin-client.js';
import { findAdmin } from './admin-location.js';
import type { Settings } from './config-schema.js';
import { messagesText, queueListText, queueText, redriveText } from './queues-text.js';
import { closestName, didYouMean } from './suggestion.js';

/** What was asked for on the command line. */
export interface QueuesRequest {
  /** `queues ls` */
  readonly command: string;
  /** The name of a queue, where the command takes one. */
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

/** The command makes no sense as it is; nothing has been asked of the broker. */
export class QueuesMisuse {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const QUEUES = '/api/v1/queues';
const PAGE = 1000;
const POLL_MS = 500;

/**
 * @returns whether what was asked for has come about
 * @throws AdminCallFailed
 */
export async function runQueuesCommand(
  request: QueuesRequest,
  settings: Settings,
  console: QueuesConsole,
): Promise<boolean | QueuesMisuse> {
  const { command, options } = request;
  const client = new AdminClient(findAdmin(settings, options.get('url'), options.get('token-file')));
  const run = new QueuesRun(request, client, console);
  switch (command) {
    case 'queues ls':
      return await run.list();
    case 'queues show':
      return await run.show();
    case 'queues peek':
      return await run.peek();
    case 'queues purge':
      return await run.purge();
    default:
      return await run.redrive();
  }
}

class QueuesRun {
  readonly #request: QueuesRequest;
  readonly #client: AdminClient;
  readonly #console: QueuesConsole;
  readonly #name: string;

  constructor(request: QueuesRequest, client: AdminClient, console: QueuesConsole) {
    this.#request = request;
    this.#client = client;
    this.#console = console;
    this.#name = request.operand ?? '';
  }

  async list(): Promise<boolean> {
    const queues = await this.#allQueues();
    return this.#show({ queues }, () => queueListText(queues));
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

  async purge(): Promise<boolean | QueuesMisuse> {
    if (!this.#request.switches.has('yes')) {
      const { statistics } = (await this.#ask('GET', '')) as QueueDetail;
      const { ready, inFlight, delayed } = statistics;
      const confirmed = this.#console.confirm(
        `Give up all ${ready + inFlight + delayed} messages of ${this.#name}, for good? (yes/no) `,
      );
      if (confirmed === null) return new QueuesMisuse('queues purge asks on a terminal only: say --yes');
      if (!(await confirmed)) {
        this.#console.print('nothing was done\n');
        return false;
      }
    }
    const answer = (await this.#ask('POST', '/purge')) as PurgeAnswer;
    return this.#show(answer, () => `${answer.purged} messages of ${answer.queue} are gone\n`);
  }

  async redrive(): Promise<boolean | QueuesMisuse> {
    const { options, switches } = this.#request;
    const beginnings = ['to', 'ids', 'rate'].filter((name) => options.has(name));
    const verbs = ['status', 'cancel'].filter((name) => switches.has(name));
    if (verbs.length > 1 || (verbs.length === 1 && beginnings.length > 0)) {
      return new QueuesMisuse(`--${verbs[0]} cannot be given with --${verbs[1] ?? beginnings[0]}`);
    }
    let answer: RedriveAnswer;
    if (switches.has('cancel')) answer = (await this.#ask('DELETE', '/redrive')) as RedriveAnswer;
    else if (switches.has('status')) answer = await this.#progress();
    else {
      const body = redriveBody(options);
      if (body instanceof QueuesMisuse) return body;
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
    this.#console.print(this.#request.switches.has('json') ? `${JSON.stringify(answer)}\n` : text());
    return true;
  }

  /** Of the queue of the command. */
  async #ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
    try {
      return await this.#client.call(method, `${QUEUES}/${encodeURIComponent(this.#name)}${path}`, body);
    } catch (error) {
      if (!(error instanceof AdminCallFailed) || error.problem !== 'queue-not-found') throw error;
      throw await this.#withSuggestion(error);
    }
  }

  async #withSuggestion(error: AdminCallFailed): Promise<AdminCallFailed> {
    const names = (await this.#allQueues()).map(({ name }) => name);
    // The target of a redrive may be the one that is missing.
    const missing = names.includes(this.#name) ? (this.#request.options.get('to') ?? '') : this.#name;
    return new AdminCallFailed(`${error.message}${didYouMean(closestName(missing, names))}`, error.problem);
  }

  async #allQueues(): Promise<QueueSummary[]> {
    const all: QueueSummary[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `${QUEUES}?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`;
      const page = (await this.#client.call('GET', path)) as QueueList;
      all.push(...page.queues);
      cursor = page.cursor;
    }
    return all;
  }
}

function redriveBody(options: ReadonlyMap<string, string>): object | QueuesMisuse {
  const target = options.get('to');
  const rate = options.get('rate');
  const ids = options
    .get('ids')
    ?.split(',')
    .filter((id) => id !== '');
  const perSecond = Number(rate ?? 0);
  if (rate !== undefined && !(perSecond > 0)) {
    return new QueuesMisuse(`flag --rate: expected a number above 0, found "${rate}"`);
  }
  return {
    ...(target === undefined ? {} : { target }),
    ...(ids === undefined ? {} : { ids }),
    ...(rate === undefined ? {} : { perSecond }),
  };
}
