/** The endpoint for clients of SQS, opened as the configuration says. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { openAuthenticator } from '../bridge/sqs/authenticator.js';
import { type AccessKey, SignatureV4 } from '../bridge/sqs/signature-v4.js';
import { SqsEndpoint } from '../bridge/sqs/sqs-endpoint.js';
import { SqsService } from '../bridge/sqs/sqs-service.js';
import type { Clock } from '../core/clock.js';
import type { QueueRegistry } from '../queues/queue-registry.js';
import { isLoopbackHost } from '../transport/loopback.js';
import type { Settings } from './config-schema.js';

/** @returns null if it is switched off @throws ListenFailed */
export async function openSqsEndpoint(
  { sqs }: Pick<Settings, 'sqs'>,
  accessKeys: readonly AccessKey[],
  registry: QueueRegistry,
  clock: Clock,
  logger: Logger,
): Promise<SqsEndpoint | null> {
  if (!sqs.enabled) return null;
  const { region, account, maxWaitingReceives, host, port, publicUrl, maxConnections } = sqs;
  const service = new SqsService(registry, clock, { region, account, maxWaitingReceives });
  return await SqsEndpoint.open(service, {
    host,
    port,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    maxConnections,
    maxBodyBytes: sqs.maxRequestSize,
    maxBufferedBytes: sqs.maxReceivingSize,
    requestTimeoutMs: Math.round(sqs.requestTimeout * 1000),
    authenticator: isSigned(sqs) ? new SignatureV4(accessKeys, clock) : openAuthenticator,
    newRequestId: randomUUID,
    onFailure: (error) => logger.error({ err: error }, 'a request to the SQS endpoint failed'),
  });
}

/** Whether requests have to be signed. */
export function isSigned({ auth, host, accessKeys }: Settings['sqs']): boolean {
  return auth === undefined ? accessKeys.length > 0 || !isLoopbackHost(host) : auth === 'signed';
}
