/** What the warehouse is about. */
import type { Random } from './random.ts';

/** A column that a subject has beside those that all have. */
export interface Attribute {
  readonly name: string;
  readonly type: string;
}

export interface Subject {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

const SUBJECTS = [
  'orders',
  'shipments',
  'claims',
  'invoices',
  'tickets',
  'visits',
  'policies',
  'bookings',
  'returns',
  'payments',
  'calls',
  'leases',
  'trips',
  'meters',
  'quotes',
  'stays',
];

const ATTRIBUTES: readonly Attribute[] = [
  ['region', 'character varying(40)'],
  ['city', 'text'],
  ['postcode', 'character varying(12)'],
  ['channel', 'character varying(20)'],
  ['segment', 'text'],
  ['agent_id', 'bigint'],
  ['discount', 'numeric(5,2)'],
  ['tax_rate', 'numeric(5,4)'],
  ['priority', 'integer'],
  ['is_test', 'boolean'],
  ['opened_on', 'date'],
  ['closed_on', 'date'],
  ['reference', 'text'],
  ['phone', 'character varying(30)'],
  ['email', 'text'],
  ['weight', 'numeric(10,3)'],
  ['category', 'text'],
  ['subcategory', 'text'],
  ['campaign', 'text'],
  ['device', 'text'],
  ['score', 'numeric(8,4)'],
  ['external_id', 'text'],
  ['plan_code', 'character varying(10)'],
  ['partner_id', 'bigint'],
  ['language', 'character(2)'],
].map(([name = '', type = '']) => ({ name, type }));

/** The subject with this number. */
export function makeSubject(index: number, random: Random): Subject {
  const name = `${SUBJECTS[index % SUBJECTS.length] ?? ''}_${Math.floor(index / SUBJECTS.length)}`;
  const share = 0.15 + 0.6 * random();
  return { name, attributes: ATTRIBUTES.filter(() => random() < share) };
}
