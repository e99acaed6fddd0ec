/**
 * MQTT connections of the generator that do nothing but come, be accepted, and leave, over plain TCP: for a storm of connects, where the
 * generator should cost less than the broker. They are not made of `net.Socket`, but of the handle inside it.
 */
import { getSystemErrorName } from 'node:util';
import { BenchFailure } from '../bench-failure.js';
import { receiveMaximumOf } from './connack.js';
import { type FrameHandler, FrameReader } from './frame-reader.js';
import { CONNACK, DISCONNECT_FRAME, type Protocol } from './frames.js';
import type { Status, TcpHandle, TcpHandles, WriteRequest } from './tcp-handles.js';

const ANSWER_MS = 30_000;

/** A chunk is dealt with before the next one is read. */
const SHARED_READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

export interface BareClientOwner {
  onAccepted(client: BareClient): void;
  /**
   * It was refused, lost, or not answered; or it had been accepted, and has been lost since. Called at most once, and not when it was closed.
   * @param error ConnectionRefused when the broker refused; BenchFailure when it hung up or did not answer
   */
  onFailed(client: BareClient, error: unknown): void;
}

/** Where the broker is, and how it is spoken to. */
export interface BareClientsSetting {
  readonly handles: TcpHandles;
  readonly ipv4: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Milliseconds; `performance.now`, if it is not given. */
  readonly now?: () => number;
}

/** Opens clients for one owner, and knows which of them wait for an answer. */
export class BareClients implements BareClientOwner {
  readonly #setting: BareClientsSetting;
  readonly #owner: BareClientOwner;
  readonly #now: () => number;
  readonly #waiting = new Set<BareClient>();

  constructor(setting: BareClientsSetting, owner: BareClientOwner) {
    this.#setting = setting;
    this.#owner = owner;
    this.#now = setting.now ?? (() => performance.now());
  }

  /**
   * The owner is told what becomes of it, never before this returns.
   * @param connectFrame must stay as it is
   */
  open(clientId: string, connectFrame: Uint8Array): void {
    this.#waiting.add(new BareClient(this.#setting, this.#now(), clientId, connectFrame, this));
  }

  /** One look at all that wait, in place of a timer for each: to be called from time to time. */
  giveUpLate(): void {
    const openedBefore = this.#now() - ANSWER_MS;
    for (const client of this.#waiting) {
      // They stand in the order in which they were opened.
      if (client.openedAtMs > openedBefore) return;
      client.giveUp();
    }
  }

  onAccepted(client: BareClient): void {
    this.#waiting.delete(client);
    this.#owner.onAccepted(client);
  }

  onFailed(client: BareClient, error: unknown): void {
    this.#waiting.delete(client);
    this.#owner.onFailed(client, error);
  }
}

type State = 'waiting' | 'accepted' | 'over';

/**
 * One connection. It is the handle inside `net.Socket`, since a stream, its options and events, a promise and a timer are most of what a
 * connect costs the generator: 151 to 214 µs of processor time with `Client`, 68 to 106 with this (medians 176 and 93; five pairs of runs of
 * `connect-storm` against Millrace, Node 20), 144 to 188 and 77 to 92 against mosquitto. What is left is mostly the kernel's.
 */
export class BareClient implements FrameHandler {
  readonly openedAtMs: number;
  readonly #clientId: string;
  /** Held for as long as the kernel may not have taken it. */
  readonly #connectFrame: Uint8Array;
  readonly #setting: BareClientsSetting;
  readonly #owner: BareClientOwner;
  readonly #handle: TcpHandle;
  readonly #reader: FrameReader;
  #state: State = 'waiting';

  constructor(
    setting: BareClientsSetting,
    openedAtMs: number,
    clientId: string,
    connectFrame: Uint8Array,
    owner: BareClientOwner,
  ) {
    this.openedAtMs = openedAtMs;
    this.#clientId = clientId;
    this.#connectFrame = connectFrame;
    this.#setting = setting;
    this.#owner = owner;
    this.#reader = new FrameReader(this);
    this.#handle = setting.handles.newHandle();
    this.#connect();
  }

  /** Sends DISCONNECT, and ends the connection. */
  close(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'accepted') this.#write(DISCONNECT_FRAME);
    this.#end();
  }

  /** There was no answer in time. */
  giveUp(): void {
    this.#fail(new BenchFailure(`no answer to '${this.#clientId}' in ${ANSWER_MS} ms`));
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number, end: number): void {
    if (this.#state !== 'waiting' || (bytes[start] as number) >> 4 !== CONNACK) return;
    try {
      receiveMaximumOf(Buffer.from(bytes.subarray(bodyStart, end)), this.#setting.protocol);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#state = 'accepted';
    this.#owner.onAccepted(this);
  }

  onChunkEnd(): void {}

  #connect(): void {
    const { handles, ipv4, port } = this.#setting;
    const request = handles.newConnectRequest();
    request.oncomplete = (status) => this.#onConnected(status);
    const status = this.#handle.connect(request, ipv4, port);
    // Later: an owner who opens the next one in place of this one must not do so within this call.
    if (status !== 0) setImmediate(() => this.#lose(status));
  }

  #onConnected(connected: Status): void {
    if (this.#state === 'over') return;
    const status = connected === 0 ? this.#begin() : connected;
    if (status !== 0) this.#lose(status);
  }

  #begin(): Status {
    const handle = this.#handle;
    handle.setNoDelay(true);
    handle.useUserBuffer(SHARED_READ_BUFFER);
    handle.onread = () => {
      this.#onRead(this.#setting.handles.bytesReadOrError());
    };
    return handle.readStart() || this.#write(this.#connectFrame);
  }

  #onRead(bytesOrError: number): void {
    if (bytesOrError > 0) this.#reader.read(SHARED_READ_BUFFER, bytesOrError);
    else if (bytesOrError < 0) this.#lose(bytesOrError);
  }

  #write(bytes: Uint8Array): Status {
    const request = this.#setting.handles.newWriteRequest();
    request.oncomplete = ignore;
    return this.#handle.writeBuffer(request, bytes);
  }

  #lose(error: Status): void {
    const name = getSystemErrorName(error);
    const reason = name === 'EOF' ? 'closed by the broker' : name;
    this.#fail(new BenchFailure(`connection '${this.#clientId}' lost: ${reason}`));
  }

  #fail(error: unknown): void {
    if (this.#state === 'over') return;
    this.#end();
    this.#owner.onFailed(this, error);
  }

  #end(): void {
    this.#state = 'over';
    this.#handle.close();
  }
}

/** A write that fails later is a connection that is lost, and reading says so. */
const ignore: WriteRequest['oncomplete'] = () => {};
