/** Shapes of what the catalog queries give, one schema per query. */
import { z } from 'zod';

const nameSchema = z.object({ schema: z.string(), name: z.string() });
const listSchema = z.array(z.string()).nullable();

export const serverSchema = z.object({
  version: z.string(),
  number: z.number(),
  database: z.string(),
  searchPath: z.array(z.string()),
});

export const schemaSchema = z.object({ name: z.string(), comment: z.string().nullable() });

export const relationSchema = nameSchema.extend({
  oid: z.string(),
  kind: z.enum(['r', 'p', 'f', 'v', 'm']),
  comment: z.string().nullable(),
  sql: z.string().nullable(),
  partitionOf: nameSchema.nullable(),
  inherits: z.array(nameSchema),
  rows: z.number().nullable(),
});

export const columnSchema = z.object({
  relation: z.string(),
  name: z.string(),
  type: z.string(),
  base: z.string(),
  nullable: z.boolean(),
  default: z.string().nullable(),
  identity: z.enum(['', 'a', 'd']),
  generated: z.enum(['', 's', 'v']),
  comment: z.string().nullable(),
  sequence: nameSchema.nullable(),
});

export const keySchema = z.object({
  relation: z.string(),
  name: z.string(),
  primary: z.boolean(),
  /** NULL stands for an expression. */
  columns: z.array(z.string().nullable()),
  indexed: z.array(z.string()),
  nullsNotDistinct: z.boolean(),
  predicate: z.string().nullable(),
});

const foreignKeyAction = z.enum(['restrict', 'cascade', 'set null', 'set default']);

export const foreignKeySchema = z.object({
  onDelete: foreignKeyAction,
  onUpdate: foreignKeyAction,
  relation: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  schema: z.string(),
  table: z.string(),
  referenced: z.array(z.string()),
});

export const checkSchema = z.object({ relation: z.string(), name: z.string(), sql: z.string() });

export const triggerSchema = z.object({
  relation: z.string(),
  name: z.string(),
  events: z.array(z.enum(['insert', 'update', 'delete', 'truncate'])),
});

export const sequenceSchema = nameSchema.extend({
  start: z.string(),
  increment: z.string(),
  ownedBy: z.object({ schema: z.string(), table: z.string(), column: z.string() }).nullable(),
});

export const typeSchema = nameSchema.extend({
  kind: z.enum(['e', 'd', 'c']),
  relation: z.string(),
  labels: listSchema,
  base: z.string().nullable(),
  default: z.string().nullable(),
});

const parameterSchema = z.object({
  name: z.string(),
  mode: z.enum(['i', 'o', 'b', 'v', 't']),
  type: z.string(),
  default: z.string().nullable(),
});

export const routineSchema = nameSchema.extend({
  kind: z.enum(['f', 'p']),
  language: z.string(),
  body: z.string().nullable(),
  definition: z.string(),
  returns: z.string().nullable(),
  returnsSet: z.boolean(),
  settings: listSchema,
  volatility: z.enum(['i', 's', 'v']),
  isTrigger: z.boolean(),
  comment: z.string().nullable(),
  parameters: z.array(parameterSchema).nullable(),
});

export type RelationRow = z.infer<typeof relationSchema>;
export type ColumnRow = z.infer<typeof columnSchema>;
export type KeyRow = z.infer<typeof keySchema>;
export type ForeignKeyRow = z.infer<typeof foreignKeySchema>;
export type CheckRow = z.infer<typeof checkSchema>;
export type TriggerRow = z.infer<typeof triggerSchema>;
export type SequenceRow = z.infer<typeof sequenceSchema>;
export type TypeRow = z.infer<typeof typeSchema>;
export type RoutineRow = z.infer<typeof routineSchema>;
