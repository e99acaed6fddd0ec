/** Writes plain values as XML. */
import { replaceForbidden } from './xml-text.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader of XML makes a line feed of it otherwise.
  '\r': '&#xD;',
};

/** @param name of the element, not escaped @param value a text, number or boolean, or an object of those */
export function xmlElement(name: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return `<${name}>${escapeXml(String(value))}</${name}>`;
  const inside = Object.entries(value).map(([key, item]) => xmlElement(key, item));
  return `<${name}>${inside.join('')}</${name}>`;
}

export function escapeXml(text: string): string {
  return replaceForbidden(text).replaceAll(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}
