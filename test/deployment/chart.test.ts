/** The chart as Helm 3 and Helm 4 render it: that Kubernetes would take it, and that it says what it should. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsSchema } from '../../src/cli/config-schema.js';
import { CHART, find, HELMS, helm, type Manifest, manifestsOf, render, tryRender } from './support/chart.js';
import { findings } from './support/kubernetes-types.js';

const MIB = 1024 * 1024;
const VALUE_FILES = readdirSync(`${CHART}/ci`);
/** A boolean and a number of YAML 1.1, one letter, and the longest that Helm allows. */
const RELEASES = ['n', 'on', '1e3', `long-${'x'.repeat(48)}`];

describe.each(VALUE_FILES)('with %s', (file) => {
  test.each(HELMS)('%s lints it strictly', (program) => {
    expect(helm(program, ['lint', '--strict', CHART, '--values', `${CHART}/ci/${file}`])).toMatchObject({ ok: true });
  });

  test.each(RELEASES)(
    'Helm 3 and 4 render the same for release %s, and Kubernetes finds nothing wrong with it',
    async (release) => {
      const [three, four] = HELMS.map((program) => tryRender({ helm: program, release, files: [file] }));
      expect(four).toMatchObject({ ok: true, stderr: '' });
      expect(manifestsOf(three?.stdout ?? '')).toEqual(manifestsOf(four?.stdout ?? ''));
      const manifests = manifestsOf(four?.stdout ?? '');
      expect(manifests.length).toBeGreaterThan(4);
      for (const manifest of manifests) expect(await findings(manifest)).toEqual([]);
      const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
    },
  );
});

describe('docs/kubernetes.md', () => {
  const text = readFileSync(`${CHART}/../docs/kubernetes.md`, 'utf8');
  const examples = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = '']) => parse(yaml));

  test('has values that the chart takes', async () => {
    expect(examples.length).toBeGreaterThan(4);
    for (const values of examples) {
      for (const program of HELMS) expect(tryRender({ helm: program, values })).toMatchObject({ ok: true });
      // What a Certificate of cert-manager is, its own project says.
      const manifests = render({ values }).filter(({ kind }) => kind !== 'Certificate');
      for (const manifest of manifests) expect(await findings(manifest)).toEqual([]);
    }
  });
});

describe('the check of the manifests', () => {
  test('finds unknown fields, wrong types, missing fields and labels that are no text', async () => {
    const set = find(render({}), 'StatefulSet');
    set.spec.template.spec.containers[0].imagePulPolicy = 'Always';
    set.spec.replicas = 'one';
    delete set.spec.selector;
    set.metadata.labels['app.kubernetes.io/instance'] = false;
    expect((await findings(set)).join('\n')).toMatch(
      /labels\/app.*must be string.*selector.*replicas must be integer.*imagePulPolicy is no field of V1Container.*cannot be false/s,
    );
    expect(await findings({ apiVersion: 'apps/v1', kind: 'StatefullSet', metadata: { name: 'x' } })).toHaveLength(1);
  });
});

describe.each(['1.25.0', '1.35.0'])('for Kubernetes %s', (version) => {
  test('it renders', () => {
    expect(tryRender({ flags: ['--kube-version', version] })).toMatchObject({ ok: true });
  });
});

test('for Kubernetes 1.24 it is refused', () => {
  expect(tryRender({ flags: ['--kube-version', '1.24.0'] }).stderr).toContain('incompatible with Kubernetes');
});

describe('the pod', () => {
  const pods = (file: string): { readonly kind: string; readonly spec: Manifest }[] =>
    render({ files: [file] })
      .filter(({ kind }) => kind === 'StatefulSet' || kind === 'Pod')
      .map(({ kind, spec }) => ({ kind, spec: kind === 'Pod' ? spec : spec.template.spec }));

  test.each(VALUE_FILES)('has no rights that it does not need, nor has the one of helm test (%s)', (file) => {
    const found = pods(file);
    expect(found).toHaveLength(2);
    for (const { spec } of found) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined();
      expect(spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(spec.containers[0].image).not.toMatch(/:latest$|^[^:@]+$/);
      expect(spec.containers[0].resources.limits.memory).toBeDefined();
    }
  });

  test.each(VALUE_FILES)('is probed by HTTP on a port that it has, and given time (%s)', (file) => {
    const { spec } = find(render({ files: [file] }), 'StatefulSet').spec.template;
    const [broker] = spec.containers;
    const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => broker[probe].httpGet.path);
    expect(paths).toEqual(['/health/ready', '/health/live', '/health/ready']);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { port } = broker[probe].httpGet;
      expect(broker.ports.filter(({ name }: Manifest) => name === port)).toMatchObject([{ containerPort: 8080 }]);
    }
    const { periodSeconds, failureThreshold } = broker.startupProbe;
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(600);
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(15);
  });

  test('is one, and its claim is for the directory of the configuration', () => {
    const manifests = render({ values: { config: { storage: { directory: '/var/lib/broker' } } } });
    const { spec } = find(manifests, 'StatefulSet');
    expect(spec.replicas).toBe(1);
    expect(spec.volumeClaimTemplates).toMatchObject([{ metadata: { name: 'data' } }]);
    expect(spec.template.spec.containers[0].volumeMounts).toContainEqual({
      name: 'data',
      mountPath: '/var/lib/broker',
    });
    expect(manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)).toContain(
      spec.serviceName,
    );
  });

  test('is started again by a change of its configuration or of its secrets, and by nothing else', () => {
    const annotations = (values: object): Manifest =>
      find(render({ values }), 'StatefulSet').spec.template.metadata.annotations;
    const plain = annotations({});
    expect(annotations({ service: { type: 'NodePort' } })).toEqual(plain);
    expect(annotations({ config: { log: { level: 'debug' } } })['checksum/config']).not.toBe(plain['checksum/config']);
    const secret = { secretFiles: { x: { files: { y: 'z' } } } };
    expect(annotations(secret)['checksum/secret']).not.toBe(plain['checksum/secret']);
  });

  test('has room for all that the configuration lets clients put into its memory', () => {
    const manifests = render({});
    const { data } = find(manifests, 'ConfigMap');
    const { limits, retained, storage } = settingsSchema.parse(parse(data['millrace.yaml']));
    const program = 80 * MIB;
    const needed =
      program +
      retained.maxBytes +
      retained.maxMessages * 1000 +
      limits.outboundTotalLimit +
      storage.cache +
      storage.maxPending;
    const [broker] = find(manifests, 'StatefulSet').spec.template.spec.containers;
    expect(broker.resources.limits.memory).toBe('1Gi');
    expect(needed).toBeLessThan(1024 * MIB);
  });

  test('can be upgraded: what Kubernetes lets nobody change stays as it is', () => {
    const fixed = (values: object): Manifest => {
      const { serviceName, selector, podManagementPolicy, volumeClaimTemplates } = find(
        render({ values }),
        'StatefulSet',
      ).spec;
      return { serviceName, selector, podManagementPolicy, volumeClaimTemplates };
    };
    const changed = {
      image: { tag: '0.2.0' },
      commonLabels: { team: 'b' },
      podLabels: { zone: 'c' },
      config: { log: { level: 'debug' }, listeners: { ws: { enabled: false } } },
      resources: { limits: { memory: '2Gi' } },
      persistence: { whenScaled: 'Delete' },
      terminationGracePeriodSeconds: 60,
    };
    expect(fixed(changed)).toEqual(fixed({}));
    // With OrderedReady, a pod that cannot start stays until somebody deletes it, whatever the next upgrade says.
    expect(fixed({}).podManagementPolicy).toBe('Parallel');
  });

  test('uses a claim that is there, or none', () => {
    const existing = find(render({ files: ['existing-values.yaml'] }), 'StatefulSet').spec;
    expect(existing.volumeClaimTemplates).toBeUndefined();
    expect(existing.template.spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'broker-data' },
    });
    const volatile = find(render({ files: ['volatile-values.yaml'] }), 'StatefulSet').spec;
    expect(volatile.template.spec.volumes).toContainEqual({ name: 'data', emptyDir: {} });
  });
});

/** To every value of the chart, maps before what is in them. */
function* valuePaths(values: Manifest, parent: readonly string[] = []): Generator<readonly string[]> {
  for (const [key, value] of Object.entries<Manifest>(values)) {
    yield [...parent, key];
    if (value?.constructor === Object) yield* valuePaths(value, [...parent, key]);
  }
}

describe('the configuration', () => {
  test('goes into the ConfigMap as it is, large numbers included', () => {
    const config = { sessions: { maxQueuedMessages: 1_000_000_000 }, queues: { 'a.fifo': { retry: { base: '1s' } } } };
    const { data } = find(render({ values: { config } }), 'ConfigMap');
    expect(parse(data['millrace.yaml'])).toMatchObject(config);
  });

  test.each([
    ['an unknown setting', { config: { mqtt: { maxPacketSiz: 1 } } }, /maxPacketSiz/],
    ['a wrong type', { config: { http: { port: 'http' } } }, /port/],
    ['a size that is none', { config: { mqtt: { maxPacketSize: 'large' } } }, /maxPacketSize/],
    ['a listener without a kind', { config: { listeners: { x: { port: 1 } } } }, /kind/],
    ['a secret in it', { config: { http: { adminToken: 'x'.repeat(16) } } }, /adminToken/],
    [
      'the secret of a queue in it',
      { config: { queues: { q: { push: { url: 'https://x', secrets: [] } } } } },
      /secrets/,
    ],
    ['an unknown value', { replicaCount: 3 }, /replicaCount/],
    ['the tag latest', { image: { tag: 'latest' } }, /tag/],
    ['a token that the broker would refuse', { adminToken: { value: 'short' } }, /adminToken/],
    ['a secret from two places', { secretFiles: { x: { existingSecret: 'y', files: { z: '' } } } }, /secretFiles/],
    ['too little time to stop', { terminationGracePeriodSeconds: 5 }, /terminationGracePeriodSeconds/],
    ['HTTP switched off', { config: { http: { enabled: false } } }, /the probes ask there/],
    ['HTTP where no probe reaches it', { config: { http: { host: 'localhost' } } }, /the probes ask there/],
    ['a directory without a place for its volume', { config: { storage: { directory: 'data' } } }, /absolute path/],
    ['a directory that is the root', { config: { storage: { directory: '/' } } }, /absolute path/],
    ['a port of no listener', { service: { ports: { tpc: {} } } }, /service\.ports\.tpc: there is no listener tpc/],
    ['a policy for no listener', { networkPolicy: { from: { tpc: [{}] } } }, /from\.tpc: there is no listener tpc/],
    // Kubernetes would let in everybody.
    ['a policy that lets in nobody', { networkPolicy: { from: { http: [] } } }, /networkPolicy.*from.*http/],
    [
      'a listener that nobody reaches, for want of a host',
      { config: { listeners: { mqtts: { tls: { certificate: '/x', key: '/y' } } } } },
      /listeners\.mqtts\.host is missing/,
    ],
    ['two listeners on one port', { config: { http: { port: 1883 } } }, /tcp and http are both on port 1883/],
    ['one port twice in the Service', { service: { ports: { tcp: { port: 8083 } } } }, /tcp and ws are both on port/],
    [
      'a port of the nodes that is not opened',
      { service: { ports: { tcp: { nodePort: 31883 } } } },
      /tcp\.nodePort needs/,
    ],
    ['a traffic policy for ClusterIP', { service: { externalTrafficPolicy: 'Local' } }, /externalTrafficPolicy needs/],
    [
      'ranges of no balancer',
      { service: { loadBalancerSourceRanges: ['10.0.0.0/8'] } },
      /need service\.type LoadBalancer/,
    ],
    ['a claim that would not be used', { persistence: { enabled: false, existingClaim: 'x' } }, /would not be used/],
    [
      'a port behind the back of the chart',
      { extraEnv: [{ name: 'MILLRACE__HTTP__PORT', value: '9' }] },
      /HTTP__PORT belongs into config/,
    ],
    ['a variable that is no text', { extraEnv: [{ name: 'X', value: 1 }] }, /extraEnv/],
    ['a tag in the name of the repository', { image: { repository: 'registry:5000/millrace:1.0' } }, /repository/],
    ['a port that is text', { config: { listeners: { tcp: { port: '1883' } } } }, /port/],
    [
      'a label that selects',
      { podLabels: { 'app.kubernetes.io/instance': 'x' } },
      /app\.kubernetes\.io\/instance|podLabels/,
    ],
    [
      'a file of secrets that nothing mounts',
      {
        config: { auth: { scram: '/etc/millrace/secrets/scram/users' } },
        secretFiles: { scrm: { existingSecret: 'x' } },
      },
      /there is no secretFiles\.scram/,
    ],
    ['a token from two places', { adminToken: { value: 'x'.repeat(16), existingSecret: 'y' } }, /not both/],
    [
      'certificates asked of the probes',
      { config: { http: { tls: { clientCertificate: 'require' } } } },
      /the kubelet has no certificate/,
    ],
    ['a listener called http', { config: { listeners: { http: { kind: 'tcp', port: 1 } } } }, /another name/],
    [
      'nothing to connect to',
      { config: { listeners: { tcp: { host: '127.0.0.1' }, ws: { enabled: false } } } },
      /would have no port/,
    ],
  ])('is refused with %s', (_, values, message) => {
    for (const program of HELMS) {
      const { ok, stderr } = tryRender({ helm: program, values });
      expect(ok).toBe(false);
      expect(stderr).toMatch(message);
    }
  });

  test('is refused by its name where a default is taken away that has to be there, or goes without it', async () => {
    for (const path of valuePaths(parse(readFileSync(`${CHART}/values.yaml`, 'utf8')))) {
      const values = path.reduceRight<unknown>((value, key) => ({ [key]: value }), null) as object;
      const { ok, stdout, stderr } = tryRender({ values });
      if (!ok) expect(stderr).toMatch(/missing property|execution error/);
      else for (const manifest of manifestsOf(stdout)) expect([path, await findings(manifest)]).toEqual([path, []]);
    }
  });

  test('has one schema, which the schema of the values embeds without the secrets', () => {
    const schema = readFileSync(`${CHART}/values.schema.json`, 'utf8');
    const { properties } = JSON.parse(schema);
    expect(properties.config.properties.sqs.properties.accessKeys.items.properties.secretFile).toBeDefined();
    expect(schema).not.toContain('x-secret');
    // Helm 3 reads draft 7, which has none of these.
    expect(schema).not.toMatch(/"(prefixItems|\$defs|unevaluatedProperties|dependentRequired)"/);
  });
});

describe('the doors', () => {
  const portsOf = (service: Manifest): object =>
    Object.fromEntries(service.spec.ports.map(({ name, port }: Manifest) => [name, port]));

  test('are open to clients as far as service.ports says, and all of them on the name of the pod', () => {
    const manifests = render({ release: 'x', files: ['everything-values.yaml'] });
    expect(portsOf(find(manifests, 'Service', 'x-millrace'))).toEqual({
      'tcp-1883': 11883,
      'tcp-1884': 11884,
      http: 8080,
      sqs: 9324,
    });
    const all = { 'tcp-1883': 1883, 'tcp-1884': 1884, 'ws-8083': 8083, http: 8080, sqs: 9324 };
    expect(portsOf(find(manifests, 'Service', 'x-millrace-headless'))).toEqual(all);
    const [broker] = find(manifests, 'StatefulSet').spec.template.spec.containers;
    expect(broker.ports.map(({ name }: Manifest) => name).sort()).toEqual(Object.keys(all).sort());
  });

  test('are MQTT and WebSocket alone unless somebody says otherwise', () => {
    const manifests = render({ release: 'x' });
    expect(portsOf(find(manifests, 'Service', 'x-millrace'))).toEqual({ 'tcp-1883': 1883, 'ws-8083': 8083 });
  });

  test('with TLS are known by name and told apart, and the probes speak it', () => {
    const manifests = render({ release: 'x', files: ['tls-values.yaml'] });
    const { ports } = find(manifests, 'Service', 'x-millrace-headless').spec;
    expect(ports).toMatchObject([
      { name: 'tcp-8883', port: 8883, appProtocol: 'secure-mqtt' },
      { name: 'ws-8084', port: 8084, appProtocol: 'kubernetes.io/wss' },
      { name: 'http', port: 8080, appProtocol: 'https' },
    ]);
    expect(portsOf(find(manifests, 'Service', 'x-millrace'))).toEqual({ 'tcp-8883': 8883, 'ws-8084': 8084 });
    for (const [rendered, scheme] of [
      [manifests, 'HTTPS'],
      [render({}), 'HTTP'],
    ] as const) {
      const [broker] = find(rendered, 'StatefulSet').spec.template.spec.containers;
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        expect(broker[probe].httpGet.scheme).toBe(scheme);
      }
    }
  });

  test('of the administration stay shut until somebody opens them', () => {
    for (const http of [null, { enabled: null }, { port: 80 }]) {
      const ports = portsOf(
        find(render({ release: 'x', values: { service: { ports: { http } } } }), 'Service', 'x-millrace'),
      );
      expect(ports).toEqual({ 'tcp-1883': 1883, 'ws-8083': 8083 });
    }
  });

  test('that the broker does not open are nowhere', () => {
    const text = JSON.stringify(render({ values: { config: { listeners: { ws: { enabled: false } } } } }));
    expect(text).not.toMatch(/ws-8083|sqs"/);
  });

  test('let in whom the policy names; the administration, the pods of the same namespace', () => {
    const { spec } = find(render({}), 'NetworkPolicy');
    expect(spec.policyTypes).toEqual(['Ingress']);
    const http = spec.ingress.find(({ ports }: Manifest) => ports[0].port === 'http');
    const helmTest = find(render({}), 'Pod').metadata.labels;
    expect(http.from).toEqual([{ podSelector: {} }, { podSelector: { matchLabels: expect.anything() } }]);
    expect(helmTest).toMatchObject(http.from[1].podSelector.matchLabels);
    const { spec: strict } = find(render({ files: ['everything-values.yaml'] }), 'NetworkPolicy');
    expect(strict.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(strict.egress).toHaveLength(1);
  });

  test('lead to the broker, and not to the pod of helm test', () => {
    const manifests = render({});
    const { labels } = find(manifests, 'StatefulSet').spec.template.metadata;
    const test = find(manifests, 'Pod').metadata.labels;
    for (const { spec } of manifests.filter(({ kind }) => kind === 'Service')) {
      expect(labels).toMatchObject(spec.selector);
      expect(test).not.toMatchObject(spec.selector);
    }
  });
});

test('labels of one name are taken from where they are said last', () => {
  const values = { commonLabels: { tier: 'a' }, podLabels: { tier: 'b' }, service: { labels: { tier: 'c' } } };
  const manifests = render({ release: 'x', values });
  const labels = [
    find(manifests, 'ConfigMap').metadata,
    find(manifests, 'StatefulSet').spec.template.metadata,
    find(manifests, 'Service', 'x-millrace').metadata,
  ].map((metadata) => metadata.labels.tier);
  expect(labels).toEqual(['a', 'b', 'c']);
});

describe('the secrets', () => {
  test('are Secrets, and in no ConfigMap', () => {
    const manifests = render({ files: ['everything-values.yaml'] });
    const secrets = manifests.filter(({ kind }) => kind === 'Secret');
    expect(secrets.map(({ stringData }) => stringData)).toEqual([
      { 'admin-token': 'a-token-for-administrators' },
      { users: expect.stringMatching(/^station-7:SCRAM-SHA-256\$4096:\S+\n$/) },
      { worker: 'quotes " and {{ braces }}: must survive' },
    ]);
    const others = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'));
    expect(others).not.toMatch(/a-token-for-administrators|station-7|must survive/);
  });

  test('are found by the key that they are given, whatever YAML 1.1 makes of it', () => {
    const manifests = render({ values: { adminToken: { value: 'x'.repeat(16), existingSecretKey: 'on' } } });
    expect(find(manifests, 'Secret').stringData).toEqual({ on: 'x'.repeat(16) });
  });

  test('that are there are used, and none is made', () => {
    const manifests = render({ files: ['existing-values.yaml'] });
    expect(manifests.filter(({ kind }) => kind === 'Secret' || kind === 'ServiceAccount')).toEqual([]);
    const { spec } = find(manifests, 'StatefulSet').spec.template;
    expect(spec.serviceAccountName).toBe('broker');
    expect(spec.containers[0].env).toContainEqual({
      name: 'MILLRACE__HTTP__ADMIN_TOKEN',
      valueFrom: { secretKeyRef: { name: 'broker-administration', key: 'token' } },
    });
    expect(spec.volumes).toContainEqual({
      name: 'secret-scram',
      secret: { secretName: 'broker-users', defaultMode: 0o440 },
    });
  });
});

describe('the notes', () => {
  const notes = (values: object): string => {
    const { ok, stdout, stderr } = helm(
      'helm4',
      ['install', 'x', CHART, '--dry-run=client', '--values', '-'],
      JSON.stringify(values),
    );
    if (!ok) throw new Error(stderr);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };

  test('say who can connect, and what would be lost', () => {
    expect(notes({})).toMatch(/WARNING: nobody can connect/);
    expect(notes({ config: { auth: { anonymous: true } } })).toMatch(
      /whoever reaches the Service may do anything\. There is no TLS on: tcp, ws\.\n/,
    );
    expect(notes({ podDisruptionBudget: { enabled: true } })).toMatch(/kubectl drain.*waits/);
    expect(notes({ persistence: { enabled: false } })).toMatch(/everything that is stored goes with the pod/);
    expect(notes({ service: { type: 'LoadBalancer', ports: { http: { enabled: true } } } })).toMatch(/reads the token/);
    const secured = { config: { http: { tls: { certificate: '/x', key: '/y' } } } };
    expect(notes({ ...secured, service: { type: 'LoadBalancer', ports: { http: { enabled: true } } } })).not.toMatch(
      /reads the token/,
    );
    const quiet = { config: { auth: { scram: '/x' } } };
    expect(notes(quiet)).toMatch(/There is no second one/);
    expect(notes(quiet)).not.toMatch(/WARNING/);
  });
});
