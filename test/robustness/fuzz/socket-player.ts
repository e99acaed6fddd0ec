/** Plays one script over a socket, and says what was wrong with the broker's side of the conversation. */
import { acknowledgement, PINGREQ } from '../support/packets.js';
import { chunksOf } from './chunks.js';
import type { ClientClaims } from './client-claims.js';
import { type Expectation, judge } from './client-judge.js';
import { Conversation } from './conversation.js';
import { Finding } from './finding.js';
import { bytesOf, type Script } from './fuzz-input.js';
import { type Link, openLink, type Ports } from './link.js';
import { Violation } from './strict-reader.js';
import { verdictOn } from './verdict.js';

/** For an answer or an end that must come; the machine is shared. */
export const PATIENCE_MS = 12_000;
/** For what may come or not. */
const GLANCE_MS = 15;
const LATE_READING_MS = 60;

export interface Played {
  readonly finding: Finding | undefined;
  readonly expectation: Expectation;
  readonly assignedClientId: string | undefined;
}

export class SocketPlayer {
  readonly #script: Script;
  readonly #expectation: Expectation;
  readonly #conversation: Conversation;
  #link: Link | undefined;
  #violation: Error | undefined;
  #hasSentAll = false;
  #isClosed = false;
  #isClosedCleanly = false;
  #changed: () => void = () => {};

  private constructor(script: Script) {
    this.#script = script;
    this.#expectation = judge(bytesOf(script));
    this.#conversation = new Conversation(this.#expectation);
  }

  static async play(script: Script, ports: Ports, claims: ClientClaims): Promise<Played> {
    const player = new SocketPlayer(script);
    const finding = await player.#play(ports, claims);
    return {
      finding,
      expectation: player.#expectation,
      assignedClientId: player.#conversation.assignedClientId,
    };
  }

  async #play(ports: Ports, claims: ClientClaims): Promise<Finding | undefined> {
    const link = await this.#open(ports);
    if (link === undefined) return new Finding('refused', 'the broker did not take the connection');
    const { connect, course } = this.#expectation;
    const claim = claims.claim(connect?.clientId);
    await this.#send(link);
    const isObserved = await this.#leave(link);
    const finding =
      this.#violation === undefined
        ? verdictOn(this.#expectation, this.#conversation, {
            isEndedByBroker: this.#isClosed,
            isContested: claim.isContested,
            isObserved,
          })
        : new Finding('conversation', this.#violation.message);
    claim.end(!this.#isClosed && course !== 'lasting');
    link.close();
    return finding;
  }

  #open(ports: Ports): Promise<Link | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
      const settle = (link: Link | undefined): void => {
        clearTimeout(timer);
        resolve(link);
      };
      const link: Link = openLink(this.#script.delivery.transport, ports, {
        onOpen: () => settle(link),
        onBytes: (bytes) => this.#onBytes(bytes),
        onClose: (isClean) => {
          this.#onClose(isClean);
          settle(undefined);
        },
      });
      this.#link = link;
    });
  }

  async #send(link: Link): Promise<void> {
    const isLate = this.#script.delivery.reading === 'late';
    if (isLate) link.pause();
    for (const chunk of chunksOf(this.#script)) {
      if (this.#isClosed) break;
      link.write(chunk);
      // So that chunks are read one by one, as far as the kernels let them.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#hasSentAll = true;
    if (!isLate) return;
    await new Promise((resolve) => setTimeout(resolve, LATE_READING_MS));
    link.resume();
  }

  /** @returns whether the end was seen */
  async #leave(link: Link): Promise<boolean> {
    const { ending } = this.#script.delivery;
    if (ending === 'close') link.close();
    else if (ending === 'reset') link.reset();
    else if (ending === 'half-close') {
      link.endInput();
      if (!(await this.#until(() => this.#isClosed, PATIENCE_MS))) {
        this.#violation ??= new Violation('the broker did not close after its client had');
      }
    } else await this.#stay(link);
    return ending === 'wait';
  }

  async #stay(link: Link): Promise<void> {
    switch (this.#expectation.course) {
      case 'lasting':
        this.#reply();
        this.#conversation.onPing();
        link.write(PINGREQ);
        await this.#until(() => this.#isClosed || this.#conversation.isSettled, PATIENCE_MS);
        break;
      case 'partial':
      case 'unclear':
        await this.#until(() => this.#isClosed, GLANCE_MS);
        break;
      default:
        await this.#until(() => this.#isClosed, PATIENCE_MS);
    }
    if (this.#isClosedCleanly) this.#checked(() => this.#conversation.end());
  }

  #onBytes(bytes: Buffer): void {
    this.#checked(() => this.#conversation.push(bytes));
    this.#reply();
    this.#changed();
  }

  #onClose(isClean: boolean): void {
    this.#isClosed = true;
    this.#isClosedCleanly = isClean;
    this.#changed();
  }

  /** Between packets only: an answer within one would damage it. */
  #reply(): void {
    const { delivery } = this.#script;
    if (!this.#hasSentAll || this.#isClosed || delivery.answering === 'ignore' || delivery.ending !== 'wait') return;
    if (this.#expectation.course !== 'lasting') return;
    for (const reply of this.#conversation.takeReplies()) {
      this.#conversation.onReplied(reply);
      this.#link?.write(acknowledgement(reply.type, reply.packetId));
    }
  }

  #checked(read: () => void): void {
    if (this.#violation !== undefined) return;
    try {
      read();
    } catch (error) {
      this.#violation = error as Error;
      this.#isClosed = true;
    }
  }

  #until(condition: () => boolean, patienceMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#changed = () => {};
        resolve(false);
      }, patienceMs);
      this.#changed = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#changed = () => {};
        resolve(true);
      };
    });
  }
}
