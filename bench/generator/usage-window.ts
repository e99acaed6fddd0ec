/** What broker and generator have used between two moments, read together at each of them. */
import { findCpuMs, findPeakResidentBytes } from '../process-usage.js';

/** What a measured window has cost. */
export interface Usage {
  readonly seconds: number;
  readonly brokerCpuMs?: number;
  readonly generatorCpuMs: number;
  /** The highest since the broker started. */
  readonly peakResidentBytes?: number;
}

export class UsageWindow {
  readonly #brokerPid: number | undefined;
  readonly #begunAtMs: number;
  readonly #brokerCpuMs: number | undefined;
  readonly #generatorCpuMs: number;

  private constructor(brokerPid: number | undefined) {
    this.#brokerPid = brokerPid;
    this.#begunAtMs = performance.now();
    this.#brokerCpuMs = brokerCpuMs(brokerPid);
    this.#generatorCpuMs = generatorCpuMs();
  }

  /** @param brokerPid undefined for a broker that cannot be looked into */
  static begin(brokerPid: number | undefined): UsageWindow {
    return new UsageWindow(brokerPid);
  }

  end(): Usage {
    const now = brokerCpuMs(this.#brokerPid);
    const peakResidentBytes = this.#brokerPid === undefined ? undefined : findPeakResidentBytes(this.#brokerPid);
    return {
      seconds: (performance.now() - this.#begunAtMs) / 1000,
      ...(now !== undefined && this.#brokerCpuMs !== undefined && { brokerCpuMs: now - this.#brokerCpuMs }),
      generatorCpuMs: generatorCpuMs() - this.#generatorCpuMs,
      ...(peakResidentBytes !== undefined && { peakResidentBytes }),
    };
  }
}

function brokerCpuMs(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : findCpuMs(pid);
}

function generatorCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
