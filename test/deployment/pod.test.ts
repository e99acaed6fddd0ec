/** The broker as the rendered pod starts it: probes, clients, the pod of `helm test`, the end, and what is there after it. */
import { connect, connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { cert, key } from '../support/test-certificate.js';
import { find, type Manifest, render } from './support/chart.js';
import { freePorts } from './support/free-ports.js';
import { Pod } from './support/pod.js';

const TOKEN = 'a-token-for-administrators';

interface Deployment {
  readonly manifests: readonly Manifest[];
  readonly ports: { readonly mqtt: number; readonly http: number; readonly sqs: number };
  readonly pod: Pod;
}

async function deploy(
  values: { readonly config?: { readonly http?: object; readonly sqs?: object; readonly auth?: object } } & Record<
    string,
    unknown
  > = {},
  existing: Manifest[] = [],
): Promise<Deployment> {
  const [mqtt = 0, ws = 0, http = 0, sqs = 0] = await freePorts(4);
  const config = {
    ...values.config,
    listeners: { tcp: { port: mqtt }, ws: { port: ws } },
    http: { ...values.config?.http, port: http },
    sqs: { ...values.config?.sqs, port: sqs },
  };
  const manifests = [...render({ release: 'field', values: { ...values, config } }), ...existing];
  const { spec } = find(manifests, 'StatefulSet').spec.template;
  return { manifests, ports: { mqtt, http, sqs }, pod: new Pod(manifests, spec, await createTemporaryDirectory()) };
}

const open = { config: { auth: { anonymous: true } } };

async function connectTo(port: number, clientId: string): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${port}`;
  const properties = { sessionExpiryInterval: 3600 };
  return await connectAsync(url, { clientId, protocolVersion: 5, clean: false, properties, reconnectPeriod: 0 });
}

describe('the pod', () => {
  test('answers its probes, serves MQTT, stops in time, and has kept its data when it starts again', async () => {
    const { manifests, ports, pod } = await deploy({ ...open, adminToken: { value: TOKEN } });
    const first = await pod.start();
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      expect([probe, await pod.probe(probe)]).toEqual([probe, 200]);
    }
    const subscriber = await connectTo(ports.mqtt, 'subscriber');
    await subscriber.subscribeAsync('a/#', { qos: 1 });
    await subscriber.endAsync();
    const publisher = await connectTo(ports.mqtt, 'publisher');
    await publisher.publishAsync('a/retained', 'kept', { qos: 1, retain: true });
    await publisher.publishAsync('devices/7/telemetry', '21.5', { qos: 1 });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const queues = await fetch(`http://127.0.0.1:${ports.http}/api/v1/queues`, { headers });
    expect(await queues.json()).toMatchObject({ queues: [{ name: 'telemetry', statistics: { ready: 1 } }, {}] });

    const told = new Promise((resolve) => publisher.once('disconnect', resolve));
    const before = performance.now();
    first.kill('SIGTERM');
    expect(await told).toMatchObject({ reasonCode: 0x8b });
    expect(await first.exitCode()).toBe(0);
    const { terminationGracePeriodSeconds } = find(manifests, 'StatefulSet').spec.template.spec;
    expect(performance.now() - before).toBeLessThan((terminationGracePeriodSeconds / 2) * 1000);

    const second = await pod.start();
    expect(await pod.probe('startupProbe')).toBe(200);
    const url = `mqtt://127.0.0.1:${ports.mqtt}`;
    const received: string[] = [];
    const again = connect(url, { clientId: 'subscriber', protocolVersion: 5, clean: false });
    again.on('message', (topic: string, payload: Buffer, { qos }: IPublishPacket) => {
      received.push(`${topic} ${payload} ${qos}`);
    });
    expect(await new Promise((resolve) => again.once('connect', resolve))).toMatchObject({ sessionPresent: true });
    await expect.poll(() => received).toEqual(['a/retained kept 1']);
    await again.endAsync();
    second.kill('SIGTERM');
    expect(await second.exitCode()).toBe(0);
  });

  test('is probed, and passes helm test, over TLS', async () => {
    const directory = '/etc/millrace/secrets/tls';
    const { manifests, pod } = await deploy({
      config: { http: { tls: { certificate: `${directory}/tls.crt`, key: `${directory}/tls.key` } } },
      secretFiles: { tls: { files: { 'tls.crt': cert, 'tls.key': key } } },
    });
    await pod.start();
    expect(await pod.probe('startupProbe')).toBe(200);
    const test = new Pod(manifests, find(manifests, 'Pod').spec, await createTemporaryDirectory());
    const run = await test.start();
    expect([await run.exitCode(), run.output]).toEqual([0, expect.stringContaining('"status":"ready"')]);
  });

  test('is probed, and passes helm test, by whatever names HTTP may be called', async () => {
    const { manifests, pod } = await deploy({ config: { http: { allowedHosts: ['broker.example.com'] } } });
    await pod.start();
    expect(await pod.probe('startupProbe')).toBe(200);
    const test = new Pod(manifests, find(manifests, 'Pod').spec, await createTemporaryDirectory());
    const run = await test.start();
    expect([await run.exitCode(), run.output]).toEqual([
      0,
      expect.stringContaining('mqtt: CONNACK with reason code 0x87'),
    ]);
  });

  test('reads its secrets from the files and from the environment, made by the chart or there before', async () => {
    const users =
      'station-7:SCRAM-SHA-256$4096:2lWhVvRhr4ZlSZkn0s2v7g==$8js1nKGZ4yVfexFObG1FOxHPRqL24wpLdjpTEqYfjcA=:UDBjfSQEV07D7YgLjrsP5ZX5U3/yV/zmM+Mgmv2vbzk=\n';
    const existing = [
      // As `kubectl create secret --from-file` makes them of files that end with a line.
      { kind: 'Secret', metadata: { name: 'administration' }, stringData: { token: `${TOKEN}\n` } },
      { kind: 'Secret', metadata: { name: 'keys' }, stringData: { worker: 'the-secret-of-the-worker\n' } },
    ];
    const { ports, pod } = await deploy(
      {
        config: {
          auth: { scram: '/etc/millrace/secrets/scram/users' },
          sqs: { enabled: true, accessKeys: [{ id: 'WORKER', secretFile: '/etc/millrace/secrets/sqs/worker' }] },
        },
        adminToken: { existingSecret: 'administration', existingSecretKey: 'token' },
        secretFiles: { scram: { files: { users } }, sqs: { existingSecret: 'keys' } },
      },
      existing,
    );
    const broker = await pod.start();
    expect(await pod.probe('startupProbe')).toBe(200);
    await expect.poll(() => broker.output).toContain('"authentication":["SCRAM-SHA-256","SCRAM-SHA-512"]');
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await fetch(`http://127.0.0.1:${ports.http}/api/v1/queues`, { headers })).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${ports.sqs}/`, { method: 'POST' })).status).toBe(403);
    expect(broker.output).not.toMatch(/a-token-for|the-secret-of/);
  });

  test.each([
    ['with half a core', { limits: { cpu: '500m', memory: '1Gi' } }, 'auto', true],
    ['with one core', { limits: { cpu: 1, memory: '1Gi' } }, 'auto', true],
    ['with one core, and the order not to', { limits: { cpu: 1, memory: '1Gi' } }, 'parallel', false],
    ['with two cores, and the order to', { limits: { cpu: '2', memory: '1Gi' } }, 'single-threaded', true],
  ])('collects garbage on one thread where that is better: %s', async (_, resources, garbageCollection, isSingle) => {
    const { pod } = await deploy({ resources, garbageCollection });
    const broker = await pod.start();
    expect(await pod.probe('startupProbe')).toBe(200);
    expect(broker.commandLine.includes('--single-threaded-gc')).toBe(isSingle);
    expect(broker.commandLine.slice(-4)).toEqual([
      '/app/dist/cli/main.js',
      'start',
      '--config',
      '/etc/millrace/config/millrace.yaml',
    ]);
  });

  test('says what is wrong with its configuration, and ends', async () => {
    const { pod } = await deploy({ config: { auth: { scram: '/etc/millrace/users' } } });
    const broker = await pod.start();
    expect([await broker.exitCode(), broker.output]).toEqual([2, expect.stringContaining('there is no such file')]);
  });
});
