/**
 * What the durable scenarios have in common: each runs one or more jobs against one broker, with restarts between them
 * where it likes, and brings back named figures. How these become a row is data, too.
 */
import type { BenchOptions } from '../bench-options.js';
import type { TestBed } from './test-bed.js';

/** Undefined: not known here, for instance the processor time of a broker that cannot be looked into. */
export type Figures = Readonly<Record<string, number | undefined>>;

export interface DurableScenario {
  readonly name: string;
  /** What the broker is started with, for peers that take a configuration: no others take part then. */
  readonly configuration?: string;
  /** What is done and what is counted, in a sentence or two. */
  readonly method?: string;
  /** Connections that it opens at one time. */
  connections(options: BenchOptions): number;
  /** One run of one peer. */
  run(bed: TestBed, options: BenchOptions): Promise<Figures>;
  readonly columns: readonly FigureColumn[];
}

export interface FigureColumn {
  readonly heading: string;
  readonly figure: string;
  readonly show: (value: number) => string;
  /** How the rounds of a peer become one value: what went wrong is added up, everything else is a median. */
  readonly over: 'median' | 'sum';
}

export function count(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => Math.round(value).toLocaleString('en-US'), over: 'median' };
}

export function decimals(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => value.toFixed(2), over: 'median' };
}

export function times(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => `${value.toFixed(1)} ×`, over: 'median' };
}

export function share(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => `${Math.round(value * 100)} %`, over: 'median' };
}

export function megabytes(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => (value / 1024 / 1024).toFixed(1), over: 'median' };
}

export function errors(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => String(value), over: 'sum' };
}
