/**
 * One request on its way through an action: what is asked for, by whom, and how it is answered. An action answers once; what it has recorded
 * is told only when it is on disk.
 */
import type { Queue } from '../../queues/queue.js';
import type { Answer } from '../../queues/settled-answers.js';
import type { Caller, Permission } from './caller.js';
import type { AnswerGiver } from './http-exchange.js';
import { queueNameOfUrl } from './queue-address.js';
import { queueDoesNotExist, SqsError } from './sqs-error.js';
import type { SqsInput } from './sqs-input.js';
import type { SqsService } from './sqs-service.js';

/** In the form of the JSON protocol; null for actions that answer nothing. */
export type SqsOutput = Readonly<Record<string, unknown>> | null;

/** Where answers go. */
export interface SqsReplier {
  reply(output: SqsOutput): void;
  /** Answers with an error, of whatever kind. */
  fail(error: unknown): void;
}

export class SqsCall implements AnswerGiver {
  readonly service: SqsService;
  readonly input: SqsInput;
  readonly caller: Caller;
  readonly #baseUrl: string;
  readonly #replier: SqsReplier;
  /** Who has to take something back if the one who asked goes before he has the whole answer. */
  giver: AnswerGiver | null = null;

  /** @param baseUrl of the endpoint, as the one who asks reaches it */
  constructor(service: SqsService, input: SqsInput, caller: Caller, baseUrl: string, replier: SqsReplier) {
    this.service = service;
    this.input = input;
    this.caller = caller;
    this.#baseUrl = baseUrl;
    this.#replier = replier;
  }

  /** The queue that `QueueUrl` names. @throws SqsError */
  queue(permission: Permission): Queue {
    return this.queueNamed(queueNameOfUrl(this.input.neededText('QueueUrl')), permission);
  }

  /** @throws SqsError */
  queueNamed(name: string, permission: Permission): Queue {
    this.demand(permission, name);
    return this.#find(name);
  }

  /** To be looked at: any permission will do. @throws SqsError */
  knownQueue(name = queueNameOfUrl(this.input.neededText('QueueUrl'))): Queue {
    if (!this.caller.mayKnow(name)) throw accessDenied(name);
    return this.#find(name);
  }

  /** @throws SqsError unless the caller may */
  demand(permission: Permission, queue: string): void {
    if (!this.caller.may(permission, queue)) throw accessDenied(queue);
  }

  urlOf(queue: string): string {
    return `${this.#baseUrl}/${this.service.options.account}/${queue}`;
  }

  reply(output: SqsOutput): void {
    this.#replier.reply(output);
  }

  fail(error: unknown): void {
    this.#replier.fail(error);
  }

  onAbandoned(): void {
    this.giver?.onAbandoned();
  }

  /** Answers when the ticket is settled. */
  replyWhenSettled(ticket: number, output: SqsOutput): void {
    this.service.registry.whenSettled(ticket, new SettledReply(this.#replier, output));
  }

  #find(name: string): Queue {
    const queue = this.service.registry.find(name);
    if (queue === undefined) throw queueDoesNotExist();
    return queue;
  }
}

class SettledReply implements Answer {
  readonly #replier: SqsReplier;
  readonly #output: SqsOutput;

  constructor(replier: SqsReplier, output: SqsOutput) {
    this.#replier = replier;
    this.#output = output;
  }

  onSettled(): void {
    this.#replier.reply(this.#output);
  }
}

/** One verb of the protocol. */
export interface SqsAction {
  readonly name: string;
  /** Answers, now or later. @throws SqsError if it cannot be done; nothing has been done then */
  run(call: SqsCall): void;
}

function accessDenied(queue: string): SqsError {
  return new SqsError('AccessDeniedException', `Access to the resource ${queue} is denied.`);
}
