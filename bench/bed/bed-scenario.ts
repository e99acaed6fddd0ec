/**
 * What all scenarios with a broker have in common: each runs one or more jobs against one broker, with restarts between them where it
 * likes, and brings back named figures. How these become a row, and which of them are drawn, is data, too.
 */
import type { BenchOptions } from '../bench-options.js';
import type { Qos } from '../generator/frames.js';
import type { PasswordSettings } from '../password-file.js';
import type { Ability } from '../peers/peer.js';
import type { Variant } from '../variant.js';
import type { TestBed } from './test-bed.js';

/** Undefined: not known here, for instance the processor time of a broker that cannot be looked into. */
export type Figures = Readonly<Record<string, number | undefined>>;

/** What differs between the runs of one scenario, beside the peer and the variant. */
export interface Trial {
  /** Undefined for scenarios to which it means nothing. */
  readonly qos: Qos | undefined;
  /** Where on the axis; undefined without one. */
  readonly at: number | undefined;
}

/** Something that grows: the scenario is run at each point. */
export interface Axis {
  readonly heading: string;
  /** Ascending. */
  points(options: BenchOptions): readonly number[];
}

export interface BedScenario {
  readonly name: string;
  /** Which configurations of the peers take part. */
  readonly peers: 'volatile' | 'durable';
  /** Those without one of these are left out. */
  readonly needs?: readonly Ability[];
  /** What variants it tells apart; the others would only repeat it (default: all). */
  readonly variesBy?: readonly (keyof Variant)[];
  /** Where it is run once for each QoS: those that it can be run at. */
  readonly qos?: readonly Qos[];
  readonly axis?: Axis;
  /** What the broker is started with. */
  readonly configuration?: string;
  /** Everybody has to log in: who can is written into a password file that the broker is started with. */
  readonly passwords?: (options: BenchOptions) => PasswordSettings;
  /** What is done and what is counted, in a sentence or two. */
  readonly method?: string;
  /** The load is as much as the broker takes: one that was not busy was not at its limit, and the row says so. */
  readonly saturates?: boolean;
  /** The figure by which peers and variants are compared, and which is drawn. */
  readonly cost?: string;
  /** Further figures to be drawn. */
  readonly drawn?: readonly string[];
  /** Connections that it opens at one time. */
  connections(options: BenchOptions, trial: Trial): number;
  /** One run of one peer. Of the options, those of the variant are this run's. */
  run(bed: TestBed, options: BenchOptions, trial: Trial): Promise<Figures>;
  readonly columns: readonly FigureColumn[];
}

export interface FigureColumn {
  readonly heading: string;
  readonly figure: string;
  readonly show: (value: number) => string;
  /** How much of the figure is one of what the heading names, for instance bytes where it says KB (default: 1). */
  readonly unit?: number;
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
  return { heading, figure, show: (value) => `${Math.round(value * 100)} %`, unit: 0.01, over: 'median' };
}

export function megabytes(heading: string, figure: string): FigureColumn {
  const unit = 1024 * 1024;
  return { heading, figure, show: (value) => (value / unit).toFixed(1), unit, over: 'median' };
}

export function kilobytes(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => (value / 1024).toFixed(2), unit: 1024, over: 'median' };
}

export function errors(heading: string, figure: string): FigureColumn {
  return { heading, figure, show: (value) => String(value), over: 'sum' };
}
