/**
 * Keeps one client supplied: whenever it has sent or read something, or what it waits for is there, sends on what waits for it, while
 * its outbound buffer has room. First what its session holds, then what it takes from work queues, then a slice of retained
 * messages. A client that falls behind has its publishers wait (see {@link ConsumerPressure}), and at the hard limit is closed.
 */
import type { CloseReason } from '../core/close-reason.js';
import type { CongestedReceiver, HeldPublisher, Publication } from '../core/publication.js';
import { ReasonCode } from '../core/reason-code.js';
import { CallbackTimer } from '../core/timing-wheel.js';
import type { Session } from '../sessions/session.js';
import type { ByteChannel } from '../transport/byte-channel.js';
import type { OutboundBuffer } from '../transport/outbound-buffer.js';
import type { BrokerContext, OpenConnection } from './broker-context.js';
import { ConsumerPressure } from './consumer-pressure.js';
import type { BacklogHandler } from './publish-sender.js';
import type { QueueConsumers } from './queue-consumers.js';
import type { RetainedReplays } from './retained-replays.js';

/** The connection of an accepted client. */
export interface SuppliedConnection extends OpenConnection {
  readonly isClosed: boolean;
  /** CONNACK waits: nothing may be sent before it [MQTT-3.2.0-1]. */
  readonly isConnackDue: boolean;
  /** What the client takes from work queues; null if nothing. */
  readonly queueConsumers: QueueConsumers | null;
  /** Retained messages that are still to be sent, or null. */
  readonly replays: RetainedReplays | null;
  close(reason: CloseReason, reasonCode?: ReasonCode, reasonString?: string): void;
}

export class OutboundFlow implements BacklogHandler, CongestedReceiver {
  readonly #context: BrokerContext;
  readonly #channel: ByteChannel;
  readonly #outbound: OutboundBuffer;
  readonly #session: Session;
  readonly #connection: SuppliedConnection;
  /** Null until the client has fallen behind once. */
  #pressure: ConsumerPressure | null = null;
  /** Goes on sending when the rate allows it. */
  #paceTimer: CallbackTimer | null = null;
  #isTurnScheduled = false;

  constructor(
    context: BrokerContext,
    channel: ByteChannel,
    outbound: OutboundBuffer,
    session: Session,
    connection: SuppliedConnection,
  ) {
    this.#context = context;
    this.#channel = channel;
    this.#outbound = outbound;
    this.#session = session;
    this.#connection = connection;
  }

  /** The client has sent or read something, or what it waits for is stored or has been read: it may be ready for more. */
  advance(): void {
    const connection = this.#connection;
    if (connection.isClosed) return;
    // Answers gather too: a client that asks on and reads nothing would fill the memory with them.
    const { outboundHardLimitBytes, maximumPacketSize, outboundSoftLimitBytes } = this.#context.limits;
    if (this.#outbound.gatheredBytes > outboundHardLimitBytes + maximumPacketSize) {
      this.onOverrun();
      return;
    }
    this.#session.pump();
    if (connection.queueConsumers !== null && !connection.isConnackDue) connection.queueConsumers.pump();
    if (!this.#isTurnScheduled) this.#advanceReplays();
    if (this.#pressure === null || this.#session.isCongested) return;
    if (this.#outbound.gatheredBytes < outboundSoftLimitBytes / 2) this.#pressure.release();
  }

  /** The connection ends: nobody waits for it any more. */
  stop(): void {
    this.#pressure?.release();
    if (this.#paceTimer !== null) this.#context.wheel.cancel(this.#paceTimer);
  }

  #advanceReplays(): void {
    const connection = this.#connection;
    connection.replays?.advance();
    if (connection.replays === null) return;
    // A slice has been sent and the client takes more: let others have their turn first.
    if (this.#session.canTakeMore || this.#isFlushDue) this.#goOnNextTurn();
  }

  // ---------------------------------------------------------------- for the sender

  onCongested(publication: Publication): void {
    const { wheel, limits, flushQueue } = this.#context;
    this.#pressure ??= new ConsumerPressure(wheel, limits.slowConsumerGraceMs);
    if (this.#pressure.isStalled) {
      if (flushQueue.heldBytes > limits.outboundTotalLimitBytes) this.onOverrun();
      return;
    }
    this.#pressure.begin();
    if (publication.congested === null || this.hasCaughtUp) publication.congested = this;
  }

  onOverrun(): void {
    this.#connection.close('slow-consumer', ReasonCode.QuotaExceeded, 'messages are not read fast enough');
  }

  onAwaitingCommit(): void {
    this.#context.gated.add(this.#connection);
  }

  onLoaded(): void {
    this.advance();
  }

  onPaced(waitMs: number): void {
    const { wheel } = this.#context;
    this.#paceTimer ??= new CallbackTimer(() => this.advance());
    wheel.arm(this.#paceTimer, wheel.nowMs + waitMs);
  }

  // ---------------------------------------------------------------- for publishers

  get hasCaughtUp(): boolean {
    return this.#pressure?.hasCaughtUp === true;
  }

  hold(publisher: HeldPublisher): boolean {
    if (this.#connection.isClosed || this.#pressure === null) return false;
    if (this.#isFlushDue) this.#goOnNextTurn();
    return this.#pressure.hold(publisher);
  }

  /** The buffer is full only until the end of this turn. It may empty without the channel ever asking to wait. */
  get #isFlushDue(): boolean {
    return this.#outbound.gatheredBytes >= this.#context.limits.outboundSoftLimitBytes && !this.#channel.mustWait;
  }

  #goOnNextTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(() => {
      this.#isTurnScheduled = false;
      this.advance();
    });
  }
}
