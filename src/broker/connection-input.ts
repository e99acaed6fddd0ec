/**
 * Reads one connection: cuts what comes in into packets and hands them on one at a time, while its {@link InputGate} is open. What
 * comes before the client is accepted takes its turn with what others send then, and gets no memory by what a header declares.
 *
 *   channel ─▶ here: (turn) ─▶ FrameSplitter ─▶ the connection ─▶ gate still open? ──no──▶ the rest waits in the splitter
 */
import { type FrameSink, FrameSplitter } from '../codec/frame-splitter.js';
import type { ByteChannel, ChannelCloseReason, ChannelHandler } from '../transport/byte-channel.js';
import type { BrokerContext } from './broker-context.js';
import { type GatedInput, type GateOwner, Hold, InputGate } from './input-gate.js';

/** The connection that is read. It closes the gate when it ends. */
export interface InputOwner extends FrameSink, GateOwner {
  /** A packet could not be cut out or handled. */
  onInputError(error: unknown): void;
  /** All has been handled that could be. */
  onInputHandled(): void;
  /** The channel takes more. */
  onDrain(): void;
  /** The channel is gone. What came in order before its end has been handled. */
  onChannelClosed(reason: ChannelCloseReason): void;
}

/** Looks at what has come in before it is cut into packets. */
export interface Opening {
  /**
   * @returns false if that was the end of the connection
   * @throws ProtocolViolation
   */
  onBytes(chunk: Buffer): boolean;
}

export class ConnectionInput implements ChannelHandler, GatedInput {
  readonly gate: InputGate;
  readonly #context: BrokerContext;
  readonly #owner: InputOwner;
  readonly #splitter = new FrameSplitter();
  /** Null once the client has been accepted. */
  #opening: Opening | null;
  /** Chunks that have come before the client was accepted, and wait for their turn. */
  #openingChunks = 0;

  constructor(context: BrokerContext, channel: ByteChannel, owner: InputOwner, opening: Opening) {
    this.#context = context;
    this.#owner = owner;
    this.#opening = opening;
    this.gate = new InputGate(context, channel, this, owner);
  }

  /** The client has been accepted. */
  onAccepted(): void {
    this.#opening = null;
  }

  /** The client has been accepted, and nothing waits that came before. */
  get #isInFlow(): boolean {
    return this.#opening === null && this.#openingChunks === 0;
  }

  onBytes(chunk: Buffer): void {
    this.#noteReceived(chunk.length);
    if (this.#isInFlow || this.#context.slicedTasks.takesNow) this.#handle(chunk);
    else this.#handleInTurn(chunk);
  }

  onSharedBytes(chunk: Buffer): void {
    if (!this.#isInFlow) {
      this.onBytes(Buffer.from(chunk)); // It may have to wait.
      return;
    }
    this.#noteReceived(chunk.length);
    this.#handle(chunk, true);
  }

  /** Small packets are so many in a long read that nobody else would have a turn for long. */
  get takesLongReads(): boolean {
    return this.#opening === null && this.#splitter.hasLargePackets;
  }

  /** Only who has been accepted gets memory for what a header declares. */
  get room(): Buffer | null {
    return this.#isInFlow ? this.#splitter.room : null;
  }

  onRoomFilled(length: number): void {
    this.#noteReceived(length);
    try {
      this.#splitter.fillRoom(length, this.#owner);
    } catch (error) {
      this.#owner.onInputError(error);
    }
    this.#owner.onInputHandled();
  }

  onDrain(): void {
    this.#owner.onDrain();
  }

  onClose(reason: ChannelCloseReason): void {
    if (reason === 'ended') this.#handleHeld();
    this.#owner.onChannelClosed(reason);
  }

  /** The gate is open again. */
  resumeInput(deferred: Buffer | null): void {
    if (deferred !== null) this.#splitter.putBack(deferred);
    this.#handle(null);
  }

  /** What a client has sent before it closed in order counts, also if we had not come to it for waiting. */
  #handleHeld(): void {
    while (this.#splitter.isHolding && this.gate.liftAtEnd()) this.#handle(null);
  }

  #noteReceived(bytes: number): void {
    this.#context.metrics.bytesReceived += bytes;
    this.gate.noteReceived();
  }

  /** A CONNECT costs as much as many messages, and a fleet sends its CONNECTs all at once. */
  #handleInTurn(chunk: Buffer): void {
    this.#openingChunks++;
    this.gate.hold(Hold.Turn);
    this.#context.slicedTasks.run(() => {
      this.#openingChunks--;
      if (this.#openingChunks === 0) this.gate.release(Hold.Turn);
      if (!this.gate.isClosed) this.#handle(chunk);
    });
  }

  /** @param chunk null to go on with what was held back @param isShared of a client that has been accepted */
  #handle(chunk: Buffer | null, isShared = false): void {
    try {
      if (chunk === null) this.#splitter.resume(this.#owner);
      else if (isShared) this.#splitter.pushShared(chunk, this.#owner);
      else if (this.#opening === null || this.#opening.onBytes(chunk)) this.#splitter.push(chunk, this.#owner);
    } catch (error) {
      this.#owner.onInputError(error);
    }
    this.#owner.onInputHandled();
  }
}
