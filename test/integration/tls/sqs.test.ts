import { once } from 'node:events';
import { request } from 'node:https';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { putBehind, TlsDoor } from '../../../src/transport/tls/tls-door.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SqsBroker } from '../../support/sqs-broker.js';
import { TestAuthority } from '../../support/test-authority.js';

const authority = TestAuthority.ofFile();
const server = authority.issueServer('server');

describe('the endpoint for clients of SQS over TLS', () => {
  it('answers, and gives out URLs that are secure, too', async () => {
    const [clock, logger] = [new ManualClock(Date.now()), pino({ level: 'silent' })];
    const tls = { certificates: [server] };
    const test = await SqsBroker.start({
      endpoint: {
        putBehindTls: (http) =>
          putBehind(http, (serve) => {
            return new TlsDoor({ name: 'sqs', tls, applicationProtocol: 'http/1.1', clock, logger }, serve);
          }),
      },
    });
    const asked = request(`https://127.0.0.1:${test.endpoint.port}/`, {
      method: 'POST',
      ca: authority.pem,
      agent: false,
      headers: { 'x-amz-target': 'AmazonSQS.CreateQueue', 'content-type': 'application/x-amz-json-1.0' },
    });
    asked.end(JSON.stringify({ QueueName: 'orders' }));
    const [response] = await once(asked, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    expect(JSON.parse(body)).toEqual({ QueueUrl: `https://127.0.0.1:${test.endpoint.port}/000000000000/orders` });
    expect(test.endpoint.counters.requests).toBe(1);
  });
});
