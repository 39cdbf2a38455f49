/** GitHub's own OpenAPI description as a judge of what is sent and answered. */
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { z } from 'zod';

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), z.unknown()),
    parameters: z.record(z.string(), z.unknown()),
    examples: z.record(z.string(), z.object({ value: z.unknown().optional() })),
  }),
});

const contentSchema = z
  .object({ content: z.record(z.string(), z.object({ schema: z.unknown() })).optional() })
  .loose();
const operationSchema = z.object({
  requestBody: contentSchema.optional(),
  responses: z.record(z.string(), z.unknown()),
  parameters: z.array(z.unknown()).default([]),
});
const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  schema: z.unknown(),
});

export interface Contract {
  /** What is wrong with a request; empty where nothing is. */
  request(method: string, template: string, query: URLSearchParams, body: unknown): string[];
  response(method: string, template: string, status: number, body: unknown): string[];
  /** A copy of one of the description's examples. */
  example(name: string): Record<string, unknown>;
  /** The same for an example that is a list. */
  examples(name: string): Record<string, unknown>[];
}

let loaded: Contract | null = null;

/** Reads the description once per process: 13 MB. */
export function githubContract(): Contract {
  loaded ??= makeContract();
  return loaded;
}

function makeContract(): Contract {
  const raw: unknown = createRequire(import.meta.url)(
    '@octokit/openapi/generated/api.github.com.json',
  );
  const document = documentSchema.parse(raw);
  const ajv = new Ajv({ strict: false, logger: false, allErrors: false, coerceTypes: false });
  formats.default(ajv);
  const components = { schemas: withNull(document.components.schemas) };
  ajv.addSchema({ $id: 'https://github.test/api', components });
  const compiled = new Map<string, ValidateFunction>();

  function validator(key: string, schema: unknown): ValidateFunction {
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = ajv.compile(absolute(withNull(schema)));
    compiled.set(key, made);
    return made;
  }

  function operation(method: string, template: string) {
    const found = document.paths[template]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`GitHub has no ${method} ${template}`);
    return operationSchema.parse(found);
  }

  function errors(key: string, schema: unknown, value: unknown): string[] {
    const validate = validator(key, schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${key}${instancePath}: ${message ?? ''} ${JSON.stringify(params)}`,
    );
  }

  return {
    request(method, template, query, body) {
      const { requestBody, parameters } = operation(method, template);
      const found: string[] = [];
      const known = parameters.map((each) =>
        parameterSchema.parse(
          hasRef(each) ? resolve(document.components.parameters, each.$ref) : each,
        ),
      );
      for (const name of query.keys()) {
        if (!known.some((each) => each.in === 'query' && each.name === name)) {
          found.push(`${method} ${template}: unknown query parameter ${name}`);
        }
      }
      const schema = requestBody?.content?.['application/json']?.schema;
      if (schema !== undefined && body !== undefined) {
        found.push(...errors(`${method} ${template}`, schema, body));
      }
      return found;
    },

    response(method, template, status, body) {
      const declared = operation(method, template).responses[String(status)];
      if (declared === undefined) return [`${method} ${template}: no answer ${status} is declared`];
      const content = contentSchema.parse(
        hasRef(declared) ? resolve(document.components.responses, declared.$ref) : declared,
      ).content;
      const schema = content?.['application/json']?.schema;
      if (schema === undefined) return [];
      return errors(`${method} ${template} ${status}`, schema, body);
    },

    example(name) {
      const value = document.components.examples[name]?.value;
      return z.record(z.string(), z.unknown()).parse(structuredClone(value));
    },

    examples(name) {
      const value = document.components.examples[name]?.value;
      return z.array(z.record(z.string(), z.unknown())).parse(structuredClone(value));
    },
  };
}

function hasRef(value: unknown): value is { readonly $ref: string } {
  return z.object({ $ref: z.string() }).safeParse(value).success;
}

function resolve(from: Readonly<Record<string, unknown>>, ref: string): unknown {
  return from[ref.split('/').at(-1) ?? ''];
}

/** References of a fragment point into the whole description. */
function absolute(schema: unknown): Record<string, unknown> {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"https://github.test/api#/');
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
}

/** OpenAPI 3.0 says `nullable`, which JSON Schema does not know. */
function withNull(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withNull);
  if (typeof schema !== 'object' || schema === null) return schema;
  const mapped = Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'example' && key !== 'examples')
      .map(([key, value]) => [key, withNull(value)]),
  );
  if (mapped['nullable'] !== true) return mapped;
  const { nullable: _nullable, ...rest } = mapped;
  return { anyOf: [rest, { type: 'null' }] };
}
