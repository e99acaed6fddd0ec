/** From what broker and generator have used to figures. */
import type { Usage } from '../generator/usage-window.js';

/** A type and not an interface, so that it can be used as Figures. */
export type UsageFigures = {
  readonly perSecond: number;
  readonly cpuMicroseconds: number | undefined;
  readonly brokerBusy: number | undefined;
  readonly generatorBusy: number;
  readonly peakResidentBytes: number | undefined;
};

/** The figures that every measured window has, for so many messages in it. */
export function usageFigures(usage: Usage, messages: number): UsageFigures {
  const { seconds, brokerCpuMs, generatorCpuMs, peakResidentBytes } = usage;
  return {
    perSecond: messages / seconds,
    cpuMicroseconds: brokerCpuMs === undefined || messages === 0 ? undefined : (brokerCpuMs * 1000) / messages,
    brokerBusy: brokerCpuMs === undefined ? undefined : brokerCpuMs / 1000 / seconds,
    generatorBusy: generatorCpuMs / 1000 / seconds,
    peakResidentBytes,
  };
}
