"""What column names mean in four languages: a table of headers, each with its role."""

import pytest

from pipeline.commands.start.labels import telling_labels
from pipeline.commands.start.roles import breadth, described, in_logs, role_of

HEADERS = {
    "entry": [
        "Año de inicio", "inicio_apoyo", "data_adesao", "annee_entree", "first_treat",
        "first.treat", "treat_year", "fecha_primer_desembolso", "fecha_aprobacion",
        "Fecha de aprobación", "date d'octroi", "ingreso", "ingreso_programa", "cohort", "gvar",
        "entry_year", "first_year_treated", "año de ingreso", "anio_ingreso", "year_of_support",
        "ano_apoio", "start_date", "annee_premiere_aide", "Date de notification", "fecha de firma",
    ],
    "year": [
        "Año", "año fiscal", "exercice", "ejercicio", "year", "YEAR", "annee", "fecha",
    ],
    "exports": [
        "ventas_exterior", "Ventas al exterior", "vendas_externas", "exportaciones FOB",
        "exports", "exportations", "chiffre d'affaires export", "foreign sales", "export_share",
        "Expo. (USD)", "vr_expo",
    ],
    "sales": [
        "ventas", "Ventas netas", "chiffre d'affaires", "CA", "turnover", "receita bruta",
        "faturamento", "ingresos", "revenue", "ca_ht", "vtas_tot", "Vtas. (MDP)",
    ],
    "application": [
        "fecha_postulacion", "Fecha de postulación", "fecha solicitud", "date_candidature",
        "Date de dépôt du dossier", "applied_year", "ano_inscricao",
    ],
    "treated": [
        "beneficiario", "Recibió subsidio", "recebeu_apoio", "entreprise aidée", "treated",
        "grant", "subvention", "participa", "tratado", "apoyo",
    ],
    "ratio": [
        "cost_of_sales", "costo de ventas", "ventas por trabajador",
    ],
    "employment": [
        "Nº de empleados", "número de trabajadores", "nb_salaries", "nombre de salariés",
        "salariés", "effectif", "pessoal ocupado", "employ", "jobs", "employees", "headcount",
        "pers_ocu", "Pers. ocup.", "n_trab",
    ],
    None: [
        "L", "scrap", "union", "rY", "rX", "union",
    ],
    "wages": [
        "salarios", "wage_bill", "avgsal",
    ],
    "person": [
        "Razón social", "nome fantasia", "nombre", "firm_name",
    ],
    "firm_id": [
        "RUT", "cnpj", "siren", "id_empresa", "firmId", "fcode", "enterprise", "empresa",
        "plant", "R.U.T.", "C.N.P.J. da empresa",
    ],
    "place": [
        "municipality_id", "Comuna", "município", "département", "code_commune", "nombre comuna",
        "region_name", "nom de la commune",
        "cod_mpio", "Mpio", "Mesorregião", "zone_emploi", "bassin d'emploi",
    ],
    "sector": [
        "sector", "CIIU rev 4", "cnae", "secteur d'activité", "código CIIU", "sector_name",
        "naf4", "sic07", "Clase SCIAN", "C.I.I.U. rev. 4",
    ],
    "broad_sector": [
        "sección CIIU", "macrosector",
    ],
    "age": [
        "edad de la empresa", "firm_age", "age", "years since founding",
    ],
    "founded": [
        "ano_fundacao", "año de fundación", "fecha inicio de actividades", "date de création",
        "year_founded", "Year established", "EstYear",
    ],
    "weight": [
        "factor_expansion", "pond", "sampling_weight", "fex",
    ],
    "of_treatment": [
        "post", "post_treat", "treat_x_year", "months_since_entry", "meses desde el apoyo",
        "exposure", "event_time", "meses_desde_ingreso",
    ],
    "amount": [
        "Monto aprobado", "montant accordé", "aporte RNR", "valor concedido",
        "monto", "montant de l'aide", "monto recibido", "valor do crédito",
    ],
    "exit": [
        "salida", "fecha_termino",
    ],
    "period": [
        "wave", "trimestre", "ola", "mes", "quarter", "semestre",
    ],
    "assets": [
        "capital", "activos", "capital de trabajo",
    ],
}  # fmt: skip
CASES = [(name, role) for role, names in HEADERS.items() for name in names]


@pytest.mark.parametrize(("name", "role"), CASES, ids=[name for name, _ in CASES])
def test_a_header_means_what_people_write_it_for(name, role):
    assert role_of(name) == role


def test_the_table_is_long_enough_and_every_role_has_a_header():
    assert len(CASES) >= 60
    assert len({role for _, role in CASES}) >= 22


@pytest.mark.parametrize("name", ["log_sales", "lnVentas", "Ln ventas", "lg empleo"])
def test_logarithms_say_so(name):
    assert in_logs(name)


def test_labels_speak_for_columns_whose_names_tell_nothing_and_for_what_no_name_tells():
    labels = {"v1": "Ventas totales (miles de pesos)", "v2": "Log de empleo", "v3": "Employees"}
    assert telling_labels(["v1", "v2", "jobs", "v3"], labels) == {"v1": labels["v1"]}
    with described(telling_labels(["v1", "v2"], labels)):
        assert [role_of(name) for name in ("v1", "v2", "v3")] == ["sales", "employment", None]
        assert in_logs("v2") and breadth("v1") == 0 and not in_logs("v1")
    assert role_of("v1") is None
