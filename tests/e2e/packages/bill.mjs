// Holds a bill of materials, on standard input, to the schema of CycloneDX, formats of texts included; prints its faults as a
// JSON array.
import { readFileSync } from 'node:fs';
import { Validation, Spec } from '@cyclonedx/cyclonedx-library';

const bill = readFileSync(0, 'utf8');
const fault = await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(bill);
console.log(JSON.stringify(fault === null ? [] : fault));
