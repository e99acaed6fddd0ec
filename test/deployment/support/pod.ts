/**
 * What a kubelet makes of a rendered pod, as far as one machine can: the rendered command, arguments and environment, the volumes
 * at their places, a root that cannot be written, the user of the security context, no capabilities, process 1 of its
 * own. The image is stood in for by its parts: the files that the Dockerfile copies, at their places. The network is the machine's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Manifest } from './chart.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What the Dockerfile puts into the image, and PATH as it sets it with Node.js at the place of this machine. */
const IMAGE = {
  '/app/package.json': 'package.json',
  '/app/node_modules': 'node_modules',
  '/app/dist': 'dist',
  '/app/bin/millrace': 'packaging/image/millrace',
  '/app/bin/health.mjs': 'packaging/image/health.mjs',
  '/etc/millrace/millrace.yaml': 'packaging/image/millrace.yaml',
};
const PATH = '/app/bin:/opt/node:/usr/local/bin:/usr/bin:/bin';

export class Running {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  /** The process of the container, as this machine counts it. */
  readonly pid: number;
  output = '';

  constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.#exited = once(child, 'close');
  }

  get commandLine(): readonly string[] {
    return readFileSync(`/proc/${this.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null) process.kill(this.pid, signal);
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exited)[0];
  }
}

export class Pod {
  readonly #manifests: readonly Manifest[];
  readonly #spec: Manifest;
  readonly #directory: string;

  /**
   * @param manifests all that the chart renders, and the Secrets that are there already
   * @param spec of the pod
   * @param directory for its volumes, which stay from one start to the next
   */
  constructor(manifests: readonly Manifest[], spec: Manifest, directory: string) {
    this.#manifests = manifests;
    this.#spec = spec;
    this.#directory = directory;
  }

  /** Starts its first container; it ends with the test at the latest. */
  async start(): Promise<Running> {
    const [container] = this.#spec.containers;
    const { runAsUser, runAsGroup } = this.#spec.securityContext;
    const child = spawn(
      'bwrap',
      [
        ...this.#machine(),
        ...Object.entries(IMAGE).flatMap(([place, file]) => ['--ro-bind', realpathSync(join(ROOT, file)), place]),
        ...this.#mounts(container),
        ...this.#processorLimit(container),
        ...(container.securityContext.readOnlyRootFilesystem ? ['--remount-ro', '/'] : []),
        ...['--unshare-user', '--uid', String(runAsUser), '--gid', String(runAsGroup), '--cap-drop', 'ALL'],
        ...['--unshare-pid', '--as-pid-1', '--unshare-ipc', '--new-session', '--die-with-parent'],
        ...['--clearenv', '--setenv', 'PATH', PATH, ...this.#environment(container)],
        ...['--info-fd', '3', '--', ...container.command, ...container.args],
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    const running = new Running(child, await childPid(child));
    onTestFinished(() => running.kill('SIGKILL'));
    return running;
  }

  /** As the kubelet probes: asks until it succeeds, or has failed as often as the probe allows. */
  async probe(name: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): Promise<number> {
    const { httpGet, failureThreshold, timeoutSeconds } = this.#spec.containers[0][name];
    const { containerPort } = this.#spec.containers[0].ports.find((port: Manifest) => port.name === httpGet.port);
    for (let failures = 0; ; ) {
      const address = `${httpGet.scheme.toLowerCase()}://127.0.0.1:${containerPort}${httpGet.path}`;
      const status = await statusOf(address, timeoutSeconds * 1000, `10.244.1.7:${containerPort}`);
      if ((status >= 200 && status < 400) || ++failures >= failureThreshold) return status;
      await pause(50);
    }
  }

  #machine(): string[] {
    const hosts = join(this.#directory, 'hosts');
    const names = this.#manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    writeFileSync(hosts, `127.0.0.1 localhost ${names.join(' ')}\n`);
    const resolution = join(this.#directory, 'nsswitch.conf');
    writeFileSync(resolution, 'hosts: files\n');
    return [
      ...['--tmpfs', '/', '--ro-bind', '/usr', '/usr', '--proc', '/proc', '--dev', '/dev'],
      ...['bin', 'lib', 'lib64', 'sbin'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
      ...['--ro-bind', hosts, '/etc/hosts', '--ro-bind', resolution, '/etc/nsswitch.conf'],
      ...['--ro-bind', realpathSync(process.execPath), '/opt/node/node'],
    ];
  }

  #mounts(container: Manifest): string[] {
    return (container.volumeMounts ?? []).flatMap(({ name, mountPath }: Manifest) => {
      const place = join(this.#directory, name);
      const volume = this.#spec.volumes.find((each: Manifest) => each.name === name) ?? {};
      const isNew = mkdirSync(place, { recursive: true }) !== undefined;
      const content = this.#contentOf(volume);
      if (content === undefined) return ['--bind', place, mountPath];
      if (isNew) project(place, content);
      return ['--ro-bind', place, mountPath];
    });
  }

  /** undefined for a volume that the pod writes. */
  #contentOf({ configMap, secret }: Manifest): Readonly<Record<string, string>> | undefined {
    if (configMap !== undefined) return this.#find('ConfigMap', configMap.name).data;
    return secret === undefined ? undefined : this.#find('Secret', secret.secretName).stringData;
  }

  /** The limit as the container's cgroup shows it. */
  #processorLimit({ resources }: Manifest): string[] {
    const limit = resources?.limits?.cpu;
    const cores =
      limit === undefined ? undefined : String(limit).endsWith('m') ? Number.parseInt(limit, 10) / 1000 : Number(limit);
    const file = join(this.#directory, 'cpu.max');
    writeFileSync(file, `${cores === undefined ? 'max' : cores * 100_000} 100000\n`);
    return ['--ro-bind', file, '/sys/fs/cgroup/cpu.max'];
  }

  #environment({ env = [] }: Manifest): string[] {
    return env.flatMap(({ name, value, valueFrom }: Manifest) => {
      const reference = valueFrom?.secretKeyRef;
      const text = reference === undefined ? value : this.#find('Secret', reference.name).stringData[reference.key];
      return ['--setenv', name, text];
    });
  }

  #find(kind: string, name: string): Manifest {
    const found = this.#manifests.find((each) => each.kind === kind && each.metadata.name === name);
    if (found === undefined) throw new Error(`the pod would wait for the ${kind} ${name}, which nobody has made`);
    return found;
  }
}

/**
 * A kubelet does not look at certificates.
 * @param host by what it calls the pod: the address that it has in the cluster
 * @returns 0 if there is no answer
 */
function statusOf(address: string, timeoutMs: number, host: string): Promise<number> {
  const { get } = address.startsWith('https:') ? https : http;
  const options = {
    headers: { host, 'user-agent': 'kube-probe/1.35', connection: 'close' },
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(timeoutMs),
  };
  return new Promise((resolve) => {
    get(address, options, (response) => resolve(response.resume().statusCode ?? 0)).on('error', () => resolve(0));
  });
}

/** Files by way of `..data`, which the kubelet changes to another directory to change them all at once. */
function project(place: string, content: Readonly<Record<string, string>>): void {
  mkdirSync(join(place, '..2026_01_01'));
  symlinkSync('..2026_01_01', join(place, '..data'));
  for (const [name, text] of Object.entries(content)) {
    writeFileSync(join(place, '..2026_01_01', name), text, { mode: 0o440 });
    symlinkSync(join('..data', name), join(place, name));
  }
}

async function childPid(child: ChildProcess): Promise<number> {
  let text = '';
  for await (const chunk of child.stdio[3] as AsyncIterable<Buffer>) text += chunk;
  return JSON.parse(text)['child-pid'];
}
