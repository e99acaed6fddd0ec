/**
 * Re-authentication (section 4.12.1): a connected client proves anew who it is, while everything else goes on. One
 * object for each connection that has authenticated by a method; at most one exchange at a time.
 */
import type { ExchangeStep } from '../auth/authentication-method.js';
import type { Identity } from '../auth/identity.js';
import { encodeAuth } from '../codec/control-encoder.js';
import type { AuthPacket } from '../codec/control-packet.js';
import { AUTH } from '../codec/packet-type.js';
import type { CloseReason } from '../core/close-reason.js';
import { ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import { BoundedExchange } from './bounded-exchange.js';
import type { BrokerContext } from './broker-context.js';
import type { CompletedExchange } from './connect-handler.js';

/** The connection that it is for. */
export interface ReauthenticationHost {
  readonly isClosed: boolean;
  /** No input is handled until {@link endAuthentication}. */
  beginAuthentication(): void;
  endAuthentication(): void;
  /** The client has shown anew who it is: the same user, and what holds for it may have changed. */
  onReauthenticated(identity: Identity): void;
  send(type: number, bytes: Buffer): void;
  close(reason: CloseReason, reasonCode: ReasonCode, reasonString: string): void;
}

export class Reauthentication {
  readonly #context: BrokerContext;
  readonly #host: ReauthenticationHost;
  readonly #completed: CompletedExchange;
  readonly #clientId: string;
  readonly #maximumPacketSize: number;
  #exchange: BoundedExchange | null = null;

  /** @param maximumPacketSize of the client, bytes */
  constructor(
    context: BrokerContext,
    host: ReauthenticationHost,
    completed: CompletedExchange,
    clientId: string,
    maximumPacketSize: number,
  ) {
    this.#context = context;
    this.#host = host;
    this.#completed = completed;
    this.#clientId = clientId;
    this.#maximumPacketSize = maximumPacketSize;
  }

  /** @throws ProtocolViolation for an AUTH that does not belong here */
  handle(packet: AuthPacket): void {
    expectMethod(packet, this.#completed.method.name);
    if (packet.reasonCode === ReasonCode.ReAuthenticate) this.#begin();
    if (this.#exchange === null) {
      throw new ProtocolViolation(ReasonCode.ProtocolError, 'AUTH 0x18 where nothing is to be continued (3.15.2.1)');
    }
    const step = this.#exchange.next(packet.authenticationData);
    if (step instanceof Promise) this.#awaitStep(step);
    else this.#onStep(step);
  }

  #awaitStep(step: Promise<ExchangeStep>): void {
    this.#host.beginAuthentication();
    step
      .then((late) => {
        if (this.#host.isClosed) return;
        this.#onStep(late);
        this.#host.endAuthentication();
      })
      .catch((error: unknown) => {
        this.#context.logger.error({ err: error }, 'a client could not be authenticated again');
        this.#fail('authentication is not available', ReasonCode.ServerBusy);
      });
  }

  #begin(): void {
    if (this.#exchange !== null) {
      throw new ProtocolViolation(ReasonCode.ProtocolError, 'AUTH 0x19 during a re-authentication (4.12.1)');
    }
    const { identity, method } = this.#completed;
    const client = {
      clientId: this.#clientId,
      username: identity.username ?? undefined,
      isGone: () => this.#host.isClosed,
    };
    this.#exchange = new BoundedExchange(this.#context, method, client);
  }

  #onStep(step: ExchangeStep): void {
    const { username } = this.#completed.identity;
    if (step.outcome === 'failure') this.#fail(step.reason, REASON_CODES[step.why]);
    else if (step.outcome === 'continue')
      this.#answer(ReasonCode.ContinueAuthentication, step.data); // [MQTT-4.12.0-2]
    else if (step.identity.username !== username) {
      // What the session and its will may do was decided for the one who connected.
      this.#fail(`user ${JSON.stringify(username)} cannot become ${JSON.stringify(step.identity.username)}`);
    } else {
      this.#exchange = null;
      this.#host.onReauthenticated(step.identity);
      this.#answer(ReasonCode.Success, step.data);
    }
  }

  #answer(reasonCode: ReasonCode, authenticationData: Buffer | undefined): void {
    const fields = { reasonCode, authenticationMethod: this.#completed.method.name, authenticationData };
    this.#host.send(AUTH, encodeAuth(fields, 5, this.#maximumPacketSize)); // [MQTT-4.12.0-5]
  }

  /** [MQTT-4.12.1-2] */
  #fail(reason: string, reasonCode: ReasonCode = ReasonCode.NotAuthorized): void {
    this.#context.logger.debug({ username: this.#completed.identity.username, reason }, 're-authentication failed');
    this.#host.close('authentication-failed', reasonCode, 're-authentication failed');
  }
}

/** A DISCONNECT cannot say that the server is unavailable (section 3.14.2.1); that it is busy comes nearest. */
const REASON_CODES = {
  unidentified: ReasonCode.NotAuthorized,
  forbidden: ReasonCode.NotAuthorized,
  busy: ReasonCode.ServerBusy,
  unavailable: ReasonCode.ServerBusy,
} as const;

/** @throws ProtocolViolation for another method than that of CONNECT [MQTT-4.12.0-5] [MQTT-4.12.1-1] */
export function expectMethod({ authenticationMethod }: AuthPacket, name: string): void {
  if (authenticationMethod === name) return;
  throw new ProtocolViolation(
    ReasonCode.ProtocolError,
    `AUTH with method "${authenticationMethod}" instead of "${name}" (3.15.2.2.2)`,
  );
}
