/** The endpoint for clients of SQS, opened as the configuration says. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { OpenAuthenticator } from '../bridge/sqs/authenticator.js';
import { type AccessKey, SignatureV4 } from '../bridge/sqs/signature-v4.js';
import { SqsEndpoint } from '../bridge/sqs/sqs-endpoint.js';
import { SqsService } from '../bridge/sqs/sqs-service.js';
import type { Clock } from '../core/clock.js';
import type { QueueRegistry } from '../queues/queue-registry.js';
import type { Store } from '../store/store.js';
import { isIpAddress, isLoopbackHost } from '../transport/loopback.js';
import { putBehind, TlsDoor } from '../transport/tls/tls-door.js';
import type { TlsOptions } from '../transport/tls/tls-options.js';
import type { Settings } from './config-schema.js';
import { tlsOptions } from './tls-settings.js';

/** Of a receive: nothing moves on its connection meanwhile. */
const LONGEST_WAIT_MS = 20_000;

export interface OpenSqs {
  readonly endpoint: SqsEndpoint;
  /** Null without TLS. */
  readonly tls: TlsDoor | null;
}

/** @returns null if it is switched off @throws ListenFailed @throws TlsUnusable */
export async function openSqsEndpoint(
  { sqs }: Pick<Settings, 'sqs'>,
  accessKeys: readonly AccessKey[],
  { registry, store }: { readonly registry: QueueRegistry; readonly store: Store },
  clock: Clock,
  logger: Logger,
): Promise<OpenSqs | null> {
  if (!sqs.enabled) return null;
  const { region, account, maxWaitingReceives, maxQueues, host, port, publicUrl, maxConnections } = sqs;
  const service = new SqsService(registry, clock, {
    region,
    account,
    maxWaitingReceives,
    maxQueues,
    isAccepting: () => store.health.state === 'ok',
  });
  const tls = tlsOptions(sqs.tls);
  let door: TlsDoor | null = null;
  const putBehindTls = (options: TlsOptions) => (server: Server) => {
    door = putBehind(server, (serve) => {
      return new TlsDoor({ name: 'sqs', tls: options, applicationProtocol: 'http/1.1', clock, logger }, serve);
    });
    return door;
  };
  const endpoint = await SqsEndpoint.open(service, {
    host,
    port,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    maxConnections,
    maxBodyBytes: sqs.maxRequestSize,
    maxBufferedBytes: sqs.maxReceivingSize,
    maxUnsentBytes: sqs.maxSendingSize,
    requestTimeoutMs: Math.round(sqs.requestTimeout * 1000),
    stallTimeoutMs: Math.round(sqs.requestTimeout * 1000) + LONGEST_WAIT_MS,
    authenticator: isSigned(sqs) ? new SignatureV4(accessKeys, Date.now) : new OpenAuthenticator(ownNames(sqs)),
    newRequestId: randomUUID,
    onFailure: (error) => logger.error({ err: error }, 'a request to the SQS endpoint failed'),
    putBehindTls: tls === undefined ? undefined : putBehindTls(tls),
  });
  return { endpoint, tls: door };
}

/** Whether requests have to be signed. */
export function isSigned({ auth, host, accessKeys }: Settings['sqs']): boolean {
  return auth === undefined ? accessKeys.length > 0 || !isLoopbackHost(host) : auth === 'signed';
}

/** Nobody can make an address, or `localhost`, lead elsewhere; the public name is the operator's. */
function ownNames({ publicUrl }: Settings['sqs']): (host: string) => boolean {
  const publicName = publicUrl === undefined ? null : new URL(publicUrl).hostname;
  return (host) => isIpAddress(host) || isLoopbackHost(host) || host.toLowerCase() === publicName;
}
