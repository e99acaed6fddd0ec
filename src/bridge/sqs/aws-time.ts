/** Times as signatures have them: `20261121T150405Z`. */
export interface AwsTime {
  readonly text: string;
  readonly ms: number;
}

const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** @param text in this form, or in that of the Date header @returns null if it is neither */
export function parseAwsTime(text: string | string[] | undefined): AwsTime | null {
  if (typeof text !== 'string') return null;
  const parts = TIME.exec(text);
  const ms = parts === null ? Date.parse(text) : Date.parse(text.replace(TIME, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isFinite(ms) ? { text: formatAwsTime(ms), ms } : null;
}

export function formatAwsTime(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
