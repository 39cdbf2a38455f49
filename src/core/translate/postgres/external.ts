/** Functions that reach out of the database: what they give is in no table. */

const EXTERNAL = /^(dblink(_\w+)?|pg_(read|stat)(_binary)?_file|pg_ls_\w+|lo_(import|export))$/u;

export function isExternal(name: string): boolean {
  return EXTERNAL.test(name);
}
