//! Places and hints of faults; the texts are in the recorded `validate.json`.

use argosy_engine::validate::{Fault, Mode, Object, all, check_cron_workflow, check_workflow};
use argosy_engine::{Config, Templates};
use argosy_model::{CronWorkflow, Workflow, decode, yaml};

fn read<T: argosy_model::Field>(text: &str) -> T {
    decode::lenient(yaml::value(text).expect("YAML")).expect("the object is well formed")
}

fn check(spec: &str, expected: Result<(), (&str, &str, Option<&str>)>) {
    let indented: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let workflow: Workflow = read(&format!("metadata: {{name: w}}\nspec:\n{indented}"));
    let got = check_workflow(
        &workflow,
        &Templates::default(),
        &Config::default(),
        Mode::default(),
    );
    let got = got.map_err(|fault: Fault| (fault.to_string(), fault.path(), fault.hint));
    let expected =
        expected.map_err(|(text, path, hint)| (text.to_owned(), path.to_owned(), hint.map(str::to_owned)));
    assert_eq!(got, expected, "{spec}");
}

const STEPS: &str = "
entrypoint: main
templates:
- name: main
  steps:
  - - {name: a, template: TEMPLATE}
  - - name: b
      template: echo
      arguments: {parameters: [{name: text, value: 'VALUE'}]}
- name: echo
  inputs: {parameters: [{name: text, default: x}]}
  container: {image: i, command: [echo], args: ['{{inputs.parameters.text}}']}
";

#[test]
fn a_fault_names_the_step_and_the_nearest_template() {
    let spec = STEPS.replace("TEMPLATE", "ecko").replace("VALUE", "v");
    check(
        &spec,
        Err((
            "templates.main.steps[0].a template name 'ecko' undefined",
            "spec.templates[0].steps[0][0]",
            Some("did you mean \"echo\"?"),
        )),
    );
}

#[test]
fn an_unknown_variable_names_the_nearest_known_one() {
    let spec = STEPS
        .replace("TEMPLATE", "echo")
        .replace("VALUE", "{{steps.a.outputs.resul}}");
    check(
        &spec,
        Err((
            "templates.main.steps failed to resolve {{steps.a.outputs.resul}}",
            "spec.templates[0].steps[1]",
            Some("did you mean \"steps.a.outputs.result\"?"),
        )),
    );
}

#[test]
fn a_fault_in_a_called_template_is_placed_there() {
    check(
        "
entrypoint: main
templates:
- {name: main, steps: [[{name: a, template: b}]]}
- {name: b, container: {image: ''}}
",
        Err((
            "templates.main.steps[0].a templates.b.container.image may not be empty",
            "spec.templates[1].container.image",
            None,
        )),
    );
}

#[test]
fn variables_in_names_and_blanks_in_tags_are_left_to_the_run() {
    check(
        &STEPS
            .replace("TEMPLATE", "'{{workflow.name}}'")
            .replace("VALUE", "{{ steps.none.id}}"),
        Ok(()),
    );
}

#[test]
fn a_recursion_is_no_fault() {
    check(
        "
entrypoint: main
templates:
- {name: main, steps: [[{name: again, template: main, when: 'false'}]]}
",
        Ok(()),
    );
}

#[test]
fn a_wide_and_a_long_dag_are_checked_in_no_time() {
    let mut tasks = String::from("- {name: t0, template: echo}\n");
    for n in 1..3000 {
        let before = n - 1;
        tasks.push_str(&format!(
            "    - {{name: t{n}, template: echo, depends: t{before}, arguments: {{parameters: [{{name: text, value: \
             '{{{{tasks.t{before}.outputs.result}}}}'}}]}}}}\n"
        ));
    }
    check(
        &format!(
            "
entrypoint: main
templates:
- name: main
  dag:
    tasks:
    {tasks}
- name: echo
  inputs: {{parameters: [{{name: text, default: x}}]}}
  container: {{image: i, command: [echo]}}
"
        ),
        Ok(()),
    );
}

#[test]
fn a_fault_inside_a_cron_workflow_is_placed_in_it() {
    let cron: CronWorkflow = read(
        "
metadata: {name: c}
spec:
  schedules: ['* * * * *']
  workflowSpec: {entrypoint: nope, templates: [{name: main, container: {image: i}}]}
",
    );
    let fault =
        check_cron_workflow(&cron, &Templates::default(), &Config::default()).expect_err("no such template");
    assert_eq!(
        fault.to_string(),
        "cannot validate Workflow: template name 'nope' undefined"
    );
    assert_eq!(fault.path(), "spec.workflowSpec.entrypoint");
}

#[test]
fn templates_inside_templates_without_end_are_refused() {
    let mut template = argosy_model::Template {
        container: Some(Box::default()),
        ..argosy_model::Template::default()
    };
    for _ in 0..150 {
        let step = argosy_model::WorkflowStep {
            name: "a".to_owned(),
            inline: Some(Box::new(template)),
            ..argosy_model::WorkflowStep::default()
        };
        template = argosy_model::Template {
            steps: vec![vec![step].into()],
            ..argosy_model::Template::default()
        };
    }
    "main".clone_into(&mut template.name);
    let mut workflow: Workflow = read("{metadata: {name: w}, spec: {entrypoint: main}}");
    workflow.spec.templates.push(template);
    let fault = check_workflow(
        &workflow,
        &Templates::default(),
        &Config::default(),
        Mode::default(),
    );
    assert!(fault.is_err());
}

#[test]
fn faults_of_all_templates_and_sections_are_found_the_peers_first() {
    let workflow: Workflow = read(
        "
metadata: {name: w}
spec:
  entrypoint: main
  podGC: {strategy: Never}
  arguments: {parameters: [{name: a, value: x}, {name: a, value: y}]}
  templates:
  - name: main
    steps: [[{name: a, template: echo}, {name: b, template: ecko}]]
  - {name: echo, container: {image: i, args: ['{{inputs.parameters.x}}']}}
  - {name: good, container: {image: i}}
  - {name: late, timeout: soon, container: {image: i}}
",
    );
    let found = all(
        Object::Workflow(&workflow),
        &Templates::default(),
        &Config::default(),
        Mode::default(),
    );
    let told: Vec<String> = found.iter().map(|f| format!("{}: {f}", f.path())).collect();
    let expected = [
        "spec.arguments.parameters[1].name: spec.arguments.parameters[1].name 'a' is not unique",
        "spec.podGC.strategy: podGC.strategy unknown strategy 'Never'",
        "spec.templates[0].steps[0][1]: templates.main templates.main.steps[0].b template name 'ecko' undefined",
        "spec.templates[1]: templates.echo templates.echo: failed to resolve {{inputs.parameters.x}}",
        "spec.templates[3].timeout: templates.late ",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    assert!(
        check_workflow(
            &workflow,
            &Templates::default(),
            &Config::default(),
            Mode::default()
        )
        .is_err_and(|fault| fault == found[0])
    );
}
