/** Settings that are IP addresses and ranges of them. */
import { z } from 'zod';
import { AddressRange } from '../core/address-range.js';
import { expected } from './setting.js';

const wanted = expected('an IP address or a range such as 10.0.0.0/8');

export const addressRange = z
  .string(wanted)
  .refine((text) => AddressRange.parse(text) !== null, wanted)
  .meta({ description: 'An IP address, or a range of them in CIDR notation.', 'x-unit': '' });
