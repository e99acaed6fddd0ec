/** Renders the chart with a real Helm, and finds things in what comes out. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const CHART = fileURLToPath(new URL('../../../helm', import.meta.url));

export const HELMS = ['helm3', 'helm4'] as const;
export type Helm = (typeof HELMS)[number];

// biome-ignore lint/suspicious/noExplicitAny: a manifest is whatever the chart renders; the tests say what it must be
export type Manifest = any;

export interface RenderOptions {
  readonly helm?: Helm;
  readonly release?: string;
  /** Names of files in `helm/ci`. */
  readonly files?: readonly string[];
  /** As JSON, over the files. */
  readonly values?: object;
  readonly flags?: readonly string[];
}

export interface HelmRun {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export function helm(program: Helm, args: readonly string[], input = ''): HelmRun {
  const { PATH = '' } = process.env;
  const file = fileURLToPath(new URL(`../../../build/tools/${program}`, import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8', env: { PATH }, input });
  if (error !== undefined) throw error;
  return { ok: status === 0, stdout, stderr };
}

const rendered = new Map<string, HelmRun>();

/** The same is rendered once. */
export function tryRender(options: RenderOptions): HelmRun {
  const key = JSON.stringify(options);
  const run = rendered.get(key) ?? renderAnew(options);
  rendered.set(key, run);
  return run;
}

function renderAnew(options: RenderOptions): HelmRun {
  const { helm: program = 'helm4', release = 'field', files = [], values = {}, flags = [] } = options;
  const valueFiles = files.flatMap((file) => ['--values', `${CHART}/ci/${file}`]);
  return helm(program, ['template', release, CHART, ...valueFiles, '--values', '-', ...flags], JSON.stringify(values));
}

export function render(options: RenderOptions): Manifest[] {
  const { ok, stdout, stderr } = tryRender(options);
  if (!ok) throw new Error(stderr);
  return manifestsOf(stdout);
}

/** Kubernetes reads YAML 1.1, where `on` is true and `1e3` a number. */
export function manifestsOf(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1' });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS();
  });
}

/** The one of this kind, or the one of this kind and name. */
export function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name));
  if (found.length !== 1)
    throw new Error(`${found.length} of kind ${kind}${name === undefined ? '' : ` called ${name}`}`);
  return found[0];
}
